//! Turns events into webhook deliveries: one for each endpoint that wants the event. Each delivery gets a ticket in the queue.
//!
//! The table's stream invokes this job right after each commit. A schedule invokes it too, for events that the stream did not
//! bring and for deliveries that need a new ticket. So a lost stream record or a lost ticket only causes a delay.

mod fault;
mod follow_up;
mod publish;
mod publisher;
mod run;
mod stream;
mod sweep;

pub use publisher::Publisher;

use std::sync::Arc;
use std::time::Duration;

use platform::config::Needs;
use platform::lambda::{Invocation, Job, JobError};
use platform::metrics;
use serde_json::Value;

use crate::run::Run;

const NAME: &str = "publish-events";

/// An event with `Records` is a batch of the stream. Any other event starts a sweep.
pub const JOB: Job<Publisher> = Job {
    name: NAME,
    needs: Needs { queue: true, ..Needs::NOTHING },
    run: |publisher, payload, invocation| Box::pin(publish(publisher, payload, invocation)),
};

/// The time kept for finishing an item.
const RESERVE: Duration = Duration::from_secs(15);

async fn publish(publisher: Arc<Publisher>, payload: Vec<u8>, invocation: Invocation) -> Result<Value, JobError> {
    let run = Run::new(&publisher, invocation.budget(RESERVE));
    let event: Value = serde_json::from_slice(&payload).unwrap_or_default();
    match event.get("Records").and_then(Value::as_array) {
        Some(records) => stream::publish(run, records).await,
        None => {
            let report = sweep::publish(run).await;
            metrics::heartbeat(NAME);
            report
        }
    }
}
