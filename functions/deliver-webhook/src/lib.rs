//! From the queue to an endpoint: one attempt for each ticket that is due. Tickets may come twice or late; whoever claims an
//! attempt in the table makes it.

mod attempt;
mod deliver;
mod endpoint;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use platform::config::Needs;
use platform::handler::App;
use platform::lambda::{Invocation, Job, JobError, RunBudget};
use platform::queue::Ticket;
use serde_json::{Value, json};

use crate::deliver::{Next, deliver};

const NAME: &str = "deliver-webhook";

/// The job: a batch of the queue's messages.
pub const JOB: Job = Job {
    name: NAME,
    needs: Needs { master_key: true, queue: true, endpoints: true, ..Needs::NOTHING },
    run: |app, payload, invocation| Box::pin(run(app, payload, invocation)),
};

/// The sender's own time, and a little for writing down what came of it. An attempt that is cut off would be made again.
const ATTEMPT: Duration = Duration::from_secs(23);

/// Delivers a batch, all at once: a slow receiver holds up nobody else. Whatever is not finished comes again.
async fn run(app: Arc<App>, payload: Vec<u8>, invocation: Invocation) -> Result<Value, JobError> {
    let time = invocation.time(ATTEMPT);
    let batch: Value = serde_json::from_slice(&payload).unwrap_or_default();
    let Some(records) = batch["Records"].as_array() else {
        return Err(JobError("this is no batch of a queue".into()));
    };
    let unfinished = join_all(records.iter().map(|record| handle(&app, time, record))).await;
    let failures: Vec<Value> = unfinished.into_iter().flatten().map(|id| json!({"itemIdentifier": id})).collect();
    Ok(json!({"batchItemFailures": failures}))
}

/// Handles one message; its id, if it has to come again.
async fn handle(app: &App, time: RunBudget, record: &Value) -> Option<String> {
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
        Ok(queue) => queue.postpone(receipt, wait).await.map_err(text),
        Err(error) => Err(text(error)),
    };
    if let Err(error) = postponed {
        tracing::warn!(error, "a ticket could not be put back");
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
