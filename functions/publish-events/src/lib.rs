//! From the outbox to the queue: every event becomes a delivery for each endpoint that wants it. Called by the table's
//! stream right after each commit, and on a schedule for what the stream did not bring and for deliveries that need a new
//! ticket: nothing hangs on stream or queue alone.

mod publish;
mod stream;
mod sweep;

use std::sync::Arc;
use std::time::Duration;

use platform::config::Needs;
use platform::handler::App;
use platform::lambda::{Invocation, Job, JobError};
use serde_json::Value;

/// The job: a batch of stream records, or anything else for a sweep.
pub const JOB: Job = Job {
    name: "publish-events",
    needs: Needs { queue: true, ..Needs::NOTHING },
    run: |app, payload, invocation| Box::pin(run(app, payload, invocation)),
};

/// Time that is kept for finishing an item.
const RESERVE: Duration = Duration::from_secs(15);

async fn run(app: Arc<App>, payload: Vec<u8>, invocation: Invocation) -> Result<Value, JobError> {
    let time = invocation.time(RESERVE);
    let event: Value = serde_json::from_slice(&payload).unwrap_or_default();
    match event.get("Records").and_then(Value::as_array) {
        Some(records) => stream::publish(&app, time, records).await,
        None => sweep::publish(&app, time).await,
    }
}
