//! One page of a list that may have several shards. All shards are queried at once, and their items are merged in the list's
//! order: by entry, then by shard. So a cursor is one position in the merged list.

use futures_util::future::try_join_all;

use super::cursor::Scope;
use super::error::StoreError;
use super::item::Item;
use super::keys::SHARDS;
use super::op_context::OpContext;
use super::query::{Filter, ItemPage, PageQuery, Range};
use super::table::Store;

/// Which part of a list is wanted.
pub(super) struct ListQuery {
    /// The first and the last entry, both included.
    pub(super) from: String,
    pub(super) to: String,
    pub(super) limit: usize,
    /// The position after which the page starts.
    pub(super) start: Option<Item>,
    pub(super) ascending: bool,
    pub(super) filter: Option<Filter>,
}

/// How many more items than its share each shard is asked for. Items are spread by a hash, so a shard almost never has that
/// many of a page. If one has, the page is shorter.
const SPARE: usize = 12;

impl Store {
    /// # Errors
    /// [`StoreError`] if the table does not respond or rejects a query.
    pub(super) async fn list_page(
        &self,
        op: OpContext,
        scope: &Scope,
        list: &ListQuery,
    ) -> Result<ItemPage, StoreError> {
        let shards = if scope.is_sharded { SHARDS } else { 1 };
        let queries: Vec<_> = (0..shards).map(|shard| query(scope, list, shard)).collect();
        let pages = try_join_all(queries.iter().map(|query| self.query(op, query))).await?;
        Ok(merge(scope, pages, list))
    }
}

fn query(scope: &Scope, list: &ListQuery, shard: u8) -> PageQuery {
    let (mut from, mut to, mut start) = (list.from.clone(), list.to.clone(), list.start.clone());
    let at = start.as_ref().and_then(|start| Some((scope.shard_of(start)?, scope.entry(start).to_owned())));
    if let Some((of_start, entry)) = at.filter(|(of_start, _)| *of_start != shard) {
        // The shards on this side have been read up to this entry, the others only before it.
        let is_read = (of_start < shard) != list.ascending;
        let bound = if list.ascending { &mut from } else { &mut to };
        *bound = if is_read { next_entry(scope, list) } else { entry };
        start = None;
    }
    PageQuery {
        index: scope.index,
        partition: scope.shard(shard),
        range: Range::Between(from, to),
        limit: limit(scope, list),
        start,
        ascending: list.ascending,
        consistent: false,
        filter: list.filter.clone(),
    }
}

/// The first entry after that of the start, in the order of the page. Entries of sharded lists are times in milliseconds.
fn next_entry(scope: &Scope, list: &ListQuery) -> String {
    let time = list.start.as_ref().and_then(|start| scope.time_of(start));
    time.map(|time| scope.entry_at(time.plus_millis(if list.ascending { 1 } else { -1 }))).unwrap_or_default()
}

fn limit(scope: &Scope, list: &ListQuery) -> usize {
    // A filter is applied after the limit.
    if !scope.is_sharded || list.filter.is_some() {
        return list.limit;
    }
    list.limit.min(list.limit / usize::from(SHARDS) * 2 + SPARE)
}

/// Merges the pages of all shards. A shard that has more items ends the merged page after its last item, because the items that
/// follow in the list may be in that shard.
fn merge(scope: &Scope, pages: Vec<ItemPage>, list: &ListQuery) -> ItemPage {
    let order = |position: &Item| (scope.entry(position).to_owned(), scope.shard_of(position));
    let compare = |a: &Item, b: &Item| {
        let ascending = order(a).cmp(&order(b));
        if list.ascending { ascending } else { ascending.reverse() }
    };
    let (mut items, mut ends) = (Vec::new(), Vec::new());
    for page in pages {
        items.extend(page.items);
        ends.extend(page.next);
    }
    // The sort is stable, so items of one shard with one entry stay in the order of the index.
    items.sort_by(compare);
    let end = ends.into_iter().min_by(compare);
    if let Some(end) = &end {
        items.retain(|item| compare(item, end).is_le());
    }
    let is_cut = items.len() > list.limit;
    items.truncate(list.limit);
    let next = if is_cut { items.last().map(|last| scope.position_of(last)) } else { end };
    ItemPage { items, next }
}
