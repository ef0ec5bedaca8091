//! From the queue to an endpoint: one attempt for each ticket that is due. Tickets may come twice or late; whoever claims an
//! attempt in the table makes it.

mod attempt;
mod deliver;
mod endpoint;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::app::App;
use shared::config::Needs;
use shared::deadline::Deadline;
use shared::lambda::{Invocation, Job, JobError};
use shared::queue::Ticket;
use shared::store::Attempt;

use crate::deliver::{Next, deliver};

/// The job: a batch of the queue's messages.
pub const JOB: Job = Job {
    name: "deliver-webhook",
    needs: Needs { master_key: true, queue: true, endpoints: true, ..Needs::NOTHING },
    run: |app, payload, invocation| Box::pin(run(app, payload, invocation)),
};

/// Delivers a batch, all at once: a slow receiver holds up nobody else. Whatever is not finished comes again.
async fn run(app: Arc<App>, payload: Vec<u8>, invocation: Invocation) -> Result<Value, JobError> {
    let time = Time { ends: Instant::now() + invocation.remaining };
    let batch: Value = serde_json::from_slice(&payload).unwrap_or_default();
    let Some(records) = batch["Records"].as_array() else {
        return Err(JobError("this is no batch of a queue".into()));
    };
    let unfinished = join_all(records.iter().map(|record| handle(&app, time, record))).await;
    let failures: Vec<Value> = unfinished.into_iter().flatten().map(|id| json!({"itemIdentifier": id})).collect();
    Ok(json!({"batchItemFailures": failures}))
}

/// Handles one message; its id, if it has to come again.
async fn handle(app: &App, time: Time, record: &Value) -> Option<String> {
    let part = |name: &str| record[name].as_str().unwrap_or_default();
    let id = part("messageId").to_owned();
    let Some(ticket) = Ticket::parse(part("body")) else {
        // It will never be one: whoever put it there is not `publish-events`.
        tracing::error!(poison = true, message_id = id, "this is no ticket");
        return None;
    };
    let handling = AssertUnwindSafe(deliver(app, time, &ticket)).catch_unwind().await;
    let next = handling.unwrap_or_else(|_| Err("delivering panicked".into()));
    match next {
        Ok(Next::Finished) => None,
        Ok(Next::Later(wait)) => {
            postpone(app, part("receiptHandle"), wait).await;
            Some(id)
        }
        Err(reason) => {
            tracing::error!(message_id = id, webhook_id = %ticket.webhook_id, reason, "a delivery comes again");
            Some(id)
        }
    }
}

/// Without it the ticket comes again when the queue's own time is over; then the table says what is due.
async fn postpone(app: &App, receipt: &str, wait: Duration) {
    let postponed = match app.queue() {
        Ok(queue) => queue.postpone(receipt, wait).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = postponed {
        tracing::warn!(error, "a ticket could not be put back");
    }
}

/// The time of one batch.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    ends: Instant,
}

impl Time {
    /// The sender's own time, and a little for writing down what came of it.
    const ATTEMPT: Duration = Duration::from_secs(23);

    /// Whether there is time for another attempt. One that is cut off would be made again.
    pub(crate) fn is_left(self) -> bool {
        self.ends.saturating_duration_since(Instant::now()) > Self::ATTEMPT
    }

    /// The time of one write, which is never older than a few seconds.
    pub(crate) fn attempt(self, app: &App) -> Attempt {
        let deadline = Deadline::within(self.ends.saturating_duration_since(Instant::now()));
        Attempt { occurred_at: app.clock.now(), deadline }
    }
}
