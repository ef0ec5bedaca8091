//! The list of grants, in the order of the end that was written last: when the grant started, was narrowed, or announced its
//! extension. A page is one query and one read of the relationships, on which the grants' states depend.

use std::collections::HashMap;
use std::fmt;

use futures_util::future::try_join;

use super::cursor::Scope;
use super::error::{PageError, StoreError};
use super::grant::read_grant;
use super::item::{Item, text, unless_newer};
use super::keys::{self, Key, Listed};
use super::list::{List, Page, PageRequest};
use super::op_context::OpContext;
use super::page::TIME_TO_READ_ON;
use super::query::{Filter, ItemPage, PageQuery, Range};
use super::relationship::read_relationship;
use super::table::Store;
use domain::{Grant, GrantState, PartnerStatus, Relationship, Timestamp};

/// The number of items that a query looks at if it can leave out grants by their state.
const LOOKED_AT: usize = 500;

/// Which grants are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrantFilter {
    pub state: Option<GrantState>,
    pub ends_before: Option<Timestamp>,
}

/// A grant, and what its state depends on.
#[derive(Clone, Debug)]
pub struct GrantRow {
    pub grant: Grant,
    pub relationship: Relationship,
    pub partner: PartnerStatus,
}

impl GrantRow {
    pub fn state(&self, now: Timestamp) -> GrantState {
        self.grant.state(now, self.period_end(), self.partner)
    }

    fn ends_at(&self, now: Timestamp) -> Timestamp {
        self.grant.effective_end(now, self.period_end())
    }

    fn period_end(&self) -> Option<Timestamp> {
        self.relationship.period_end(&self.grant.period)
    }
}

impl GrantFilter {
    fn shows(&self, row: &GrantRow, now: Timestamp) -> bool {
        // A grant may have extended itself before the job announced it.
        self.state.is_none_or(|state| row.state(now) == state)
            && self.ends_before.is_none_or(|end| row.ends_at(now) < end)
    }

    /// The last entry that can be shown.
    fn last_entry(&self) -> String {
        self.ends_before.map_or_else(|| Listed::Grant.end(), |end| Listed::Grant.at(end.plus_millis(-1)))
    }

    /// What the table leaves out. The state itself is computed from more than the grant's item.
    fn of_items(&self) -> Option<Filter> {
        let condition = match self.state? {
            // As long as a grant is active, it has a notice to announce.
            GrantState::Active | GrantState::Suspended => "grant_state = :active AND attribute_exists(gsi3sk)",
            GrantState::Expired => "grant_state = :active",
            GrantState::Ended => return None,
        };
        Some((condition.to_owned(), HashMap::from([(":active".to_owned(), text("active"))])))
    }
}

/// As part of what a cursor is bound to.
impl fmt::Display for GrantFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.map(GrantState::as_str).unwrap_or_default();
        let before = self.ends_before.map(Timestamp::sortable).unwrap_or_default();
        write!(f, "state {state}, before {before}")
    }
}

impl Store {
    /// Grants, soonest end first. Those that are over stay in the list.
    ///
    /// # Errors
    /// [`PageError`].
    pub async fn grants(
        &self,
        op: OpContext,
        list: &List,
        request: &PageRequest,
        filter: &GrantFilter,
    ) -> Result<Page<GrantRow>, PageError> {
        let scope = list.scope(Listed::Grant, request, &filter.to_string());
        let (first, last, of_items) = (scope.prefix.clone(), filter.last_entry(), filter.of_items());
        let start = request.cursor.as_deref().map(|cursor| scope.decode(cursor)).transpose()?;
        // The table rejects a start outside the range.
        if start.as_ref().is_some_and(|start| scope.entry(start) > last.as_str()) {
            return Err(PageError::Cursor);
        }
        let mut query = PageQuery {
            index: scope.index,
            partition: scope.partition.clone(),
            range: Range::Between(first, last),
            limit: if of_items.is_some() { request.limit.max(LOOKED_AT) } else { request.limit },
            start,
            ascending: true,
            consistent: false,
            filter: of_items,
        };
        loop {
            let page = cut(&scope, self.query(op, &query).await?, request.limit);
            let mut items = self.grant_rows(op, &page.items).await?;
            items.retain(|row| filter.shows(row, op.occurred_at));
            query.start = page.next;
            if query.start.is_none() || !items.is_empty() || op.deadline.remaining() < TIME_TO_READ_ON {
                return Ok(Page { items, next_cursor: query.start.map(|next| scope.encode(&next)) });
            }
        }
    }

    /// Grants with their relationships, which are read now, and their partners, which are cached.
    async fn grant_rows(&self, op: OpContext, items: &[Item]) -> Result<Vec<GrantRow>, StoreError> {
        let grants = items.iter().map(|item| unless_newer(read_grant(item)));
        let grants: Vec<Grant> = grants.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        let wanted: Vec<Key> =
            grants.iter().map(|grant| keys::relationship(&grant.customer, &grant.partner_id)).collect();
        let partners = self.partners_by_id(op, grants.iter().map(|grant| &grant.partner_id));
        let (relationships, partners) = try_join(self.get_many(op, &wanted, true), partners).await?;
        let mut rows = Vec::new();
        for ((grant, relationship), partner) in grants.into_iter().zip(relationships).zip(partners) {
            let relationship = unless_newer(read_relationship(&relationship.unwrap_or_default()))?;
            let partner = partner.map_or(PartnerStatus::Active, |partner| partner.status);
            rows.extend(relationship.map(|relationship| GrantRow { grant, relationship, partner }));
        }
        Ok(rows)
    }
}

/// The first items of a page, as many as a response may have.
fn cut(scope: &Scope, mut page: ItemPage, most: usize) -> ItemPage {
    if page.items.len() > most {
        page.items.truncate(most);
        page.next = page.items.last().map(|last| scope.position_of(last));
    }
    page
}
