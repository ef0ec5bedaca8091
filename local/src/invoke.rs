//! Invokes a job as Lambda does.

use std::sync::Arc;
use std::time::Duration;

use platform::lambda::{Invocation, Job, JobError, run_job};
use serde_json::Value;

/// How long one run may take. The template has the same timeout for scheduled functions.
const TIMEOUT: Duration = Duration::from_secs(60);

pub async fn run<W>(worker: &Arc<W>, job: &Job<W>, event: &Value) -> Result<Value, JobError> {
    let invocation = Invocation { id: job.name.to_owned(), remaining: TIMEOUT };
    run_job(Arc::clone(worker), job, event.to_string().into_bytes(), invocation).await
}
