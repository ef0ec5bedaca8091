//! Jobs: functions that a schedule, a stream or a queue invokes.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use domain::Timestamp;
use futures_util::FutureExt;
use serde_json::Value;

use super::runtime::{Invocation, StartError, Started, exit};
use crate::config::{Config, Needs};
use crate::deadline::Deadline;
use crate::queue::QueueError;
use crate::store::{OpContext, StoreError};

/// A report to the caller, or why the job must be invoked again.
pub type JobFuture = Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>>;

/// A job and the type `W` that does its work.
#[derive(Debug)]
pub struct Job<W> {
    /// The name of its crate and of its folder in the template.
    pub name: &'static str,
    pub needs: Needs,
    /// Handles one event.
    pub run: fn(Arc<W>, Vec<u8>, Invocation) -> JobFuture,
}

/// Why a job must be invoked again.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    #[error("the event is not {expected}")]
    UnexpectedEvent { expected: &'static str },
    /// Every failed item was logged with its own error.
    #[error("failed items: {0}; the next run retries them")]
    ItemsFailed(usize),
    #[error("there was too little time left to start the next item")]
    OutOfTime,
    #[error("the job panicked")]
    Panicked,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl From<JobError> for lambda_runtime::Diagnostic {
    fn from(error: JobError) -> Self {
        Self { error_type: "JobError".into(), error_message: error.to_string() }
    }
}

/// The time that one run of a job may take.
#[derive(Clone, Copy, Debug)]
pub struct RunBudget {
    ends: Instant,
    reserve: Duration,
}

impl Invocation {
    /// The budget of this run. `reserve` is the time kept for finishing an item.
    pub fn budget(&self, reserve: Duration) -> RunBudget {
        RunBudget { ends: Instant::now() + self.remaining, reserve }
    }
}

impl RunBudget {
    /// Whether there is time to start another item.
    pub fn is_left(self) -> bool {
        self.left() > self.reserve
    }

    /// The context of one store operation. Each item takes a new `now`, so that a long run does not write old times.
    pub fn op(self, now: Timestamp) -> OpContext {
        OpContext { occurred_at: now, deadline: Deadline::within(self.left()) }
    }

    fn left(self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }
}

/// Runs a job once. A panic becomes an error, so that Lambda invokes the job again.
///
/// # Errors
/// [`JobError`] if the job must be invoked again.
pub async fn run_job<W>(
    worker: Arc<W>,
    job: &Job<W>,
    payload: Vec<u8>,
    invocation: Invocation,
) -> Result<Value, JobError> {
    let began = Instant::now();
    let running = AssertUnwindSafe(async { (job.run)(worker, payload, invocation).await });
    let outcome = running.catch_unwind().await.unwrap_or(Err(JobError::Panicked));
    let duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    match &outcome {
        Ok(report) => tracing::info!(job = job.name, %report, duration_us, "job"),
        Err(error) => tracing::error!(job = job.name, %error, duration_us, "job failed"),
    }
    outcome
}

/// The `main` of a job. `build` makes what the job works with, from its configuration and a client for the table.
pub fn main_job<W>(job: &'static Job<W>, build: impl FnOnce(&Config, Client) -> Result<W, StartError>) -> ExitCode {
    exit(job.name, serve(job, build))
}

fn serve<W>(
    job: &'static Job<W>,
    build: impl FnOnce(&Config, Client) -> Result<W, StartError>,
) -> Result<(), StartError> {
    let started = Started::new(job.needs)?;
    let worker = build(&started.config, started.table(job.needs)?)?;
    started.serve(worker, |worker, payload, invocation| run_job(worker, job, payload, invocation))
}
