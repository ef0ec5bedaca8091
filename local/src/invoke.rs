//! Calls a job as the platform would.

use std::sync::Arc;
use std::time::Duration;

use platform::handler::App;
use platform::lambda::{Invocation, Job, JobError, run_job};
use serde_json::Value;

/// How long one run may take. The template has the same timeout for scheduled functions.
const TIMEOUT: Duration = Duration::from_secs(60);

pub async fn run(app: &Arc<App>, job: &Job, event: &Value) -> Result<Value, JobError> {
    run_job(Arc::clone(app), job, event.to_string().into_bytes(), invocation(job)).await
}

pub fn invocation(job: &Job) -> Invocation {
    Invocation { id: job.name.to_owned(), remaining: TIMEOUT }
}
