//! Events, as a list and as a feed.

use super::error::PageError;
use super::event::read_event;
use super::keys::Listed;
use super::list::{List, Page, PageRequest};
use super::op_context::OpContext;
use super::page::TIME_TO_READ_ON;
use super::shards::ListQuery;
use super::subject::EventSubject;
use super::table::Store;
use domain::Event;
use domain::clock_budget::FEED_HOLD_BACK;

impl Store {
    /// Events, newest first; with a subject, only those about it.
    ///
    /// # Errors
    /// [`PageError`], in both methods here.
    pub async fn events(
        &self,
        op: OpContext,
        list: &List,
        request: &PageRequest,
        subject: Option<&EventSubject>,
    ) -> Result<Page<Event>, PageError> {
        let scope = list.scope(Listed::Event, request, &format!("subject {}", name(subject)));
        let filter = subject.and_then(|subject| subject.filter(&scope));
        self.page(op, &scope, request, filter, read_event).await
    }

    /// Events after a cursor, oldest first, without the youngest. Unlike other lists it always returns a cursor, once there
    /// has been an event.
    pub async fn events_after(
        &self,
        op: OpContext,
        list: &List,
        request: &PageRequest,
        subject: Option<&EventSubject>,
    ) -> Result<Page<Event>, PageError> {
        let scope = list.scope(Listed::Event, request, &format!("after, subject {}", name(subject)));
        let settled = Listed::Event.at(op.occurred_at - FEED_HOLD_BACK);
        let start = request.cursor.as_deref().map(|cursor| scope.decode(cursor)).transpose()?;
        // The clock of the process that returned the cursor may be ahead of this one. Then there is nothing new yet.
        if start.as_ref().is_some_and(|start| scope.entry(start) >= settled.as_str()) {
            return Ok(Page { items: Vec::new(), next_cursor: request.cursor.clone() });
        }
        let mut list = ListQuery {
            from: scope.prefix.clone(),
            to: settled,
            limit: request.limit,
            start,
            ascending: true,
            filter: subject.and_then(|subject| subject.filter(&scope)),
        };
        let mut page = self.list_page(op, &scope, &list).await?;
        while page.items.is_empty() && page.next.is_some() && op.deadline.remaining() >= TIME_TO_READ_ON {
            list.start = page.next;
            page = self.list_page(op, &scope, &list).await?;
        }
        let last = page.next.or_else(|| page.items.last().map(|item| scope.position_of(item))).or(list.start);
        let next_cursor = last.map(|position| scope.encode(&position));
        Ok(Page { items: page.items.iter().map(read_event).collect::<Result<_, _>>()?, next_cursor })
    }
}

/// The subject as part of what a cursor is bound to.
fn name(subject: Option<&EventSubject>) -> String {
    subject.map(ToString::to_string).unwrap_or_default()
}
