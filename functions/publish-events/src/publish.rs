//! Publishes an item of the outbox in three steps: store its deliveries, send their tickets, remove the item's mark. Each step
//! may be repeated without harm. A delivery keeps a mark for the time when its ticket counts as lost.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use platform::handler::views::event_message;
use platform::lambda::JobError;
use platform::queue::Ticket;
use platform::store::{Marked, Outgoing};

use crate::fault::{Fault, MESSAGE_MAX, Poison};
use crate::follow_up::follow_up;
use crate::run::{Reach, Run};

/// Publishes an item. What only newer code can read stays in the outbox for that code. An item that can never be published is
/// noted and removed from the outbox.
pub(crate) async fn publish(run: &mut Run<'_>, marked: &Marked) -> Result<(), JobError> {
    if let Some(item) = marked.newer() {
        item.report();
        return Ok(());
    }
    let publishing = AssertUnwindSafe(send_out(run, marked)).catch_unwind().await;
    match publishing.unwrap_or(Err(Fault::Poison(Poison::Panicked))) {
        Ok(Reach::All) => {}
        Ok(Reach::Known) => return Ok(()),
        Err(Fault::Poison(poison)) => run.note_poison(&marked.name(), &poison).await?,
        Err(Fault::Retry(error)) => return Err(error),
    }
    Ok(run.publisher.store.unmark(run.op(), marked).await?)
}

async fn send_out(run: &mut Run<'_>, marked: &Marked) -> Result<Reach, Fault> {
    match &marked.what {
        Outgoing::Event(event) => {
            let message = event_message(event).map_err(Poison::from)?;
            if message.len() > MESSAGE_MAX {
                return Err(Poison::MessageTooLong(message.len()).into());
            }
            let reach = run.deliver_event(event, &message).await?;
            follow_up(run, event).await?;
            return Ok(reach);
        }
        Outgoing::Delivery(delivery) => run.send(vec![Ticket::from(delivery.as_ref())]).await?,
        Outgoing::Unreadable(item) => return Err(Poison::Unreadable(item.clone()).into()),
    }
    Ok(Reach::All)
}
