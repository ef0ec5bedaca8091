//! The list of relationships with their grants.

use super::error::PageError;
use super::grant::read_grant;
use super::item::{CorruptItem, Item, key_of, unless_newer};
use super::keys::{ItemKind, Listed};
use super::list::{List, Page, PageRequest};
use super::op_context::OpContext;
use super::query::{PageQuery, Range};
use super::relationship::read_relationship;
use super::table::Store;
use domain::{AggregateKind, Grant, Relationship};

/// A row consists of several items, so a query reads more items than there are rows on a page.
const ITEMS_PER_RELATIONSHIP: usize = 4;

impl Store {
    /// Relationships, newest first, each with the grants of its present or last period.
    ///
    /// # Errors
    /// [`PageError`].
    pub async fn relationships(
        &self,
        op: OpContext,
        list: &List,
        request: &PageRequest,
    ) -> Result<Page<(Relationship, Vec<Grant>)>, PageError> {
        let scope = list.scope(Listed::Relationship, request, "");
        let mut query = PageQuery {
            index: scope.index,
            partition: scope.partition.clone(),
            range: Range::Prefix(scope.prefix.clone()),
            limit: request.limit * ITEMS_PER_RELATIONSHIP,
            start: request.cursor.as_deref().map(|cursor| scope.decode(cursor)).transpose()?,
            ascending: false,
            consistent: false,
            filter: None,
        };
        let mut rows = Rows::default();
        loop {
            let page = self.query(op, &query).await?;
            let left = rows.take(&page.items, request.limit)?;
            let is_end = left == 0 && page.next.is_none();
            // A short page is better than a second query, as soon as there is a row to show.
            if is_end || rows.done.len() == request.limit || (page.next.is_some() && !rows.done.is_empty()) {
                let last = rows.last.filter(|_| !is_end).map(|item| scope.encode(&scope.position_of(&item)));
                return Ok(Page { items: rows.done, next_cursor: last });
            }
            query.start = page.next;
        }
    }
}

/// The rows of the list. Newest first, a relationship's grants come before it, so a row is complete once its relationship
/// is read.
#[derive(Default)]
struct Rows {
    done: Vec<(Relationship, Vec<Grant>)>,
    last: Option<Item>,
    grants: Vec<Grant>,
}

impl Rows {
    /// Takes items until there are `most` rows. Returns the number of items that are left.
    fn take(&mut self, items: &[Item], most: usize) -> Result<usize, CorruptItem> {
        for (at, item) in items.iter().enumerate() {
            if key_of(item).is_some_and(|key| key.kind() == ItemKind::Aggregate(AggregateKind::Grant)) {
                self.grants.extend(unless_newer(read_grant(item))?);
                continue;
            }
            let mut grants = std::mem::take(&mut self.grants);
            self.last = Some(item.clone());
            let Some(relationship) = unless_newer(read_relationship(item))? else { continue };
            let period = relationship.period.as_ref().map(|(id, _)| id);
            grants.retain(|grant| grant.partner_id == relationship.partner_id && Some(&grant.period) == period);
            self.done.push((relationship, grants));
            if self.done.len() == most {
                return Ok(items.len() - at - 1);
            }
        }
        Ok(0)
    }
}
