//! Jobs: functions that a schedule, a stream or a queue invokes.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use serde_json::Value;

use super::runtime::{Invocation, exit, start};
use crate::config::{Config, Needs};
use crate::deadline::Deadline;
use crate::handler::App;
use crate::store::OpContext;

/// What a job returns, boxed: a report for whoever called it, or the reason why it has to be called again.
pub type JobFuture = Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>>;

/// Work that no HTTP request asks for: on a schedule, from a stream, from a queue.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Its name, that of its crate and of its resource's folder.
    pub name: &'static str,
    /// What it works with.
    pub needs: Needs,
    /// What it does with the event it is called with.
    pub run: fn(Arc<App>, Vec<u8>, Invocation) -> JobFuture,
}

/// A job has to be called again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JobError(pub String);

impl From<JobError> for lambda_runtime::Diagnostic {
    fn from(error: JobError) -> Self {
        Self { error_type: "JobError".into(), error_message: error.0 }
    }
}

/// The time of one run of a job.
#[derive(Clone, Copy, Debug)]
pub struct RunBudget {
    ends: Instant,
    reserve: Duration,
}

impl Invocation {
    /// The time of this run; `reserve` is kept for finishing an item.
    pub fn time(&self, reserve: Duration) -> RunBudget {
        RunBudget { ends: Instant::now() + self.remaining, reserve }
    }
}

impl RunBudget {
    /// Whether there is time for another item.
    pub fn is_left(self) -> bool {
        self.left() > self.reserve
    }

    /// The time of one item: what is written of it is never older than a few seconds.
    pub fn op(self, app: &App) -> OpContext {
        OpContext { occurred_at: app.clock.now(), deadline: Deadline::within(self.left()) }
    }

    fn left(self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }
}

/// Runs a job once. A panic becomes an error, so that the platform calls again.
///
/// # Errors
/// [`JobError`] when it has to be called again.
pub async fn run_job(app: Arc<App>, job: &Job, payload: Vec<u8>, invocation: Invocation) -> Result<Value, JobError> {
    let began = Instant::now();
    let running = AssertUnwindSafe(async { (job.run)(app, payload, invocation).await });
    let outcome = running.catch_unwind().await.unwrap_or_else(|_| Err(JobError("the job panicked".into())));
    let duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    match &outcome {
        Ok(report) => tracing::info!(job = job.name, %report, duration_us, "job"),
        Err(error) => tracing::error!(job = job.name, %error, duration_us, "job failed"),
    }
    outcome
}

/// The whole of a job's `main`.
pub fn main_job(job: Job) -> ExitCode {
    main_equipped(job, |app, _| Ok(app))
}

/// The whole of a job's `main`, where the job works with more than the table: `equip` brings it.
pub fn main_equipped(job: Job, equip: impl FnOnce(App, &Config) -> Result<App, lambda_runtime::Error>) -> ExitCode {
    exit(
        job.name,
        start(job.needs, equip, move |app, payload, invocation| async move {
            run_job(app, &job, payload, invocation).await
        }),
    )
}
