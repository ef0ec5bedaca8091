//! Events, as a list and as a feed. An event of a type that this code does not know is shown as it is stored.

use std::time::Duration;

use super::error::PageError;
use super::event::read_stored_event;
use super::keys::Listed;
use super::list::{List, Page, PageRequest};
use super::op_context::OpContext;
use super::page::TIME_TO_READ_ON;
use super::shards::ListQuery;
use super::subject::EventSubject;
use super::table::Store;
use domain::clock_budget::FEED_HOLD_BACK;
use domain::{Event, StoredType};

/// During a deployment the feed waits this long for code that can read an event of a newer format. Then it skips the event.
const NEWER_HOLD: Duration = Duration::from_hours(1);

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
    ) -> Result<Page<Event<StoredType>>, PageError> {
        let scope = list.scope(Listed::Event, request, &format!("subject {}", name(subject)));
        let filter = subject.and_then(|subject| subject.filter(&scope));
        self.page(op, &scope, request, filter, read_stored_event).await
    }

    /// Events after a cursor, oldest first, without the youngest. Unlike other lists it always returns a cursor, once there
    /// has been an event.
    pub async fn events_after(
        &self,
        op: OpContext,
        list: &List,
        request: &PageRequest,
        subject: Option<&EventSubject>,
    ) -> Result<Page<Event<StoredType>>, PageError> {
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
        let (mut items, mut end) = (Vec::new(), list.start);
        for item in &page.items {
            match read_stored_event(item) {
                Ok(event) => items.push(event),
                Err(fault) if fault.is_newer => {
                    fault.report();
                    if scope.time_of(item).is_some_and(|at| at > op.occurred_at - NEWER_HOLD) {
                        return Ok(Page { items, next_cursor: end.map(|end| scope.encode(&end)) });
                    }
                }
                Err(fault) => return Err(fault.into()),
            }
            end = Some(scope.position_of(item));
        }
        let next_cursor = page.next.or(end).map(|end| scope.encode(&end));
        Ok(Page { items, next_cursor })
    }
}

/// The subject as part of what a cursor is bound to.
fn name(subject: Option<&EventSubject>) -> String {
    subject.map(ToString::to_string).unwrap_or_default()
}
