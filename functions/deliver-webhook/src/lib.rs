//! Delivers webhooks: one attempt for each ticket in the queue whose delivery is due. A ticket may come twice or late. An
//! attempt is claimed in the table first, so that only one function makes it.

mod attempt;
mod deliver;
mod deliverer;
mod endpoint;
mod next;
mod verdict;

pub use deliverer::Deliverer;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use platform::config::Needs;
use platform::lambda::{Invocation, Job, JobError, RunBudget};
use platform::metrics;
use platform::queue::Ticket;
use platform::store::StoreError;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::deliver::deliver;
use crate::deliverer::{DeliveryError, NAME};
use crate::next::Next;

/// Its event is a batch of the queue.
pub const JOB: Job<Deliverer> = Job {
    name: NAME,
    needs: Needs { master_key: true, queue: true, endpoints: true, ..Needs::NOTHING },
    run: |deliverer, payload, invocation| Box::pin(run(deliverer, payload, invocation)),
};

/// The time kept for one attempt: the sender's time limit, and some time to store the result. An attempt that Lambda cuts off
/// would be made again.
const RESERVE: Duration = Duration::from_secs(23);

/// How long a message waits for an earlier one of the batch to the same endpoint. Messages that waited for an endpoint then arrive
/// in their order, unless it is slow.
const HEAD_START: Duration = Duration::from_millis(250);

/// Handles the messages of a batch, those to one endpoint one after the other for a moment, and then all at the same time, so
/// that a slow receiver does not delay the others. The response lists the messages that must come again.
async fn run(deliverer: Arc<Deliverer>, payload: Vec<u8>, invocation: Invocation) -> Result<Value, JobError> {
    let budget = invocation.budget(RESERVE);
    let batch: Value = serde_json::from_slice(&payload).unwrap_or_default();
    let Some(records) = batch["Records"].as_array() else {
        return Err(JobError::UnexpectedEvent { expected: "a batch of queue messages" });
    };
    let mut before: HashMap<String, oneshot::Receiver<()>> = HashMap::new();
    let unfinished = records.iter().map(|record| {
        let (done, is_done) = oneshot::channel();
        let endpoint = record["body"].as_str().and_then(Ticket::parse).map(|ticket| ticket.endpoint_id.to_string());
        let earlier = before.insert(endpoint.unwrap_or_default(), is_done);
        let deliverer = &deliverer;
        async move {
            if let Some(earlier) = earlier {
                let _either = tokio::time::timeout(HEAD_START, earlier).await;
            }
            let unfinished = handle(deliverer, budget, record).await;
            drop(done);
            unfinished
        }
    });
    let unfinished = join_all(unfinished).await;
    let failures: Vec<Value> = unfinished.into_iter().flatten().map(|id| json!({"itemIdentifier": id})).collect();
    Ok(json!({"batchItemFailures": failures}))
}

/// Handles one message. Returns its id if it must come again.
async fn handle(deliverer: &Deliverer, budget: RunBudget, record: &Value) -> Option<String> {
    let part = |name: &str| record[name].as_str().unwrap_or_default();
    let id = part("messageId").to_owned();
    let Some(ticket) = Ticket::parse(part("body")) else {
        // `publish-events` did not send this message, and it never becomes a ticket.
        metrics::poison(&format!("queue message {id}"), &"it is not a ticket");
        return None;
    };
    let handling = AssertUnwindSafe(deliver(deliverer, budget, &ticket)).catch_unwind().await;
    match handling.unwrap_or(Err(DeliveryError::Panicked)) {
        Ok(Next::Finished) => None,
        Ok(Next::Later(wait)) => {
            postpone(deliverer, part("receiptHandle"), wait).await;
            Some(id)
        }
        Err(error) => {
            if let DeliveryError::Store(StoreError::Corrupt(item)) = &error {
                item.report();
            }
            tracing::error!(message_id = id, webhook_id = %ticket.webhook_id, %error, "a delivery failed and is retried");
            Some(id)
        }
    }
}

/// If this fails, the ticket comes again after the queue's visibility timeout. The table then says when the delivery is due.
async fn postpone(deliverer: &Deliverer, receipt: &str, wait: Duration) {
    if let Err(error) = deliverer.queue.postpone(receipt, wait).await {
        tracing::warn!(%error, "a ticket could not be postponed");
    }
}
