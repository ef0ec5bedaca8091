//! What every function's `main` calls: configuration, table, the boundary where panics and errors become answers, and one
//! line of access log per request.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use futures_util::FutureExt;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::aws;
use crate::clock::SystemClock;
use crate::config::{Config, Needs};
use crate::deadline::Deadline;
use crate::handler::App;
use crate::http_api::{Problem, Request, Response, conditional, to_gateway};
use crate::random::SystemRandom;
use crate::store::{OpContext, client};
use domain::Policy;

/// What a handler returns, boxed, so that functions fit into one table.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// What serves a route.
pub type Handler = fn(Arc<App>, Request) -> HandlerFuture;

/// A route and what serves it.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// As the template writes it: `METHOD /path/{parameter}`.
    pub key: &'static str,
    /// What serves it.
    pub handler: Handler,
}

impl Route {
    /// The media type it answers in: JSON, but for the page that people open.
    fn media(&self) -> &'static str {
        if self.key.contains(" /i/") { "text/html" } else { "application/json" }
    }
}

/// The table of a function's routes: `routes! { "GET /v1/me" => me, … }`, each handler an
/// `async fn(&App, &Request) -> Result<Response, Problem>`.
#[macro_export]
macro_rules! routes {
    ($($key:literal => $handler:path,)*) => {
        &[$($crate::lambda::Route {
            key: $key,
            handler: |app, request| Box::pin(async move { $handler(&app, &request).await }),
        }),*]
    };
}

/// A function: a set of routes with one kind of rights.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name, that of its crate and of its resource's folder.
    pub name: &'static str,
    /// Its routes.
    pub routes: &'static [Route],
    /// What it works with.
    pub needs: Needs,
}

impl Function {
    /// Whether it has this route.
    pub fn serves(&self, route_key: &str) -> bool {
        self.routes.iter().any(|route| route.key == route_key)
    }
}

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

/// One call by the platform.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The platform's id for it.
    pub id: String,
    /// Until the platform gives up.
    pub remaining: Duration,
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

/// Answers one event. This never panics and never fails: whatever happens becomes an answer.
pub async fn invoke(
    app: Arc<App>,
    function: &Function,
    payload: &[u8],
    invocation: &Invocation,
) -> ApiGatewayV2httpResponse {
    let began = Instant::now();
    let mut seen = Seen { id: invocation.id.clone(), route: "-".to_owned() };
    let answering = AssertUnwindSafe(answer(app, function, payload, invocation, &mut seen));
    let answer = answering.catch_unwind().await;
    let answer = answer.unwrap_or_else(|_| Err(Problem::internal("the handler panicked")));
    log_access(&seen, &answer, began);
    to_gateway(answer, &seen.id)
}

/// What is known of a request, as far as it was read.
struct Seen {
    id: String,
    route: String,
}

async fn answer(
    app: Arc<App>,
    function: &Function,
    payload: &[u8],
    invocation: &Invocation,
    seen: &mut Seen,
) -> Result<Response, Problem> {
    let deadline = Deadline::within(invocation.remaining);
    let request = Request::parse(payload, &invocation.id, app.clock.now(), deadline)?;
    *seen = Seen { id: request.id.clone(), route: request.route_key().to_owned() };
    let route = function.routes.iter().find(|route| route.key == seen.route).ok_or_else(Problem::not_found)?;
    request.check_accept(route.media())?;
    let held = request.tags_held();
    Ok(conditional(held, (route.handler)(app, request).await?))
}

/// One line per request: no path, no query, no header, no body. What failed inside stands beside it, under the same id.
fn log_access(seen: &Seen, answer: &Result<Response, Problem>, began: Instant) {
    let (request_id, route) = (seen.id.as_str(), seen.route.as_str());
    let (status, code) = match answer {
        Ok(answer) => (answer.status, ""),
        Err(problem) => (problem.code.status(), problem.code.name()),
    };
    if let Err(Problem { cause: Some(cause), .. }) = answer {
        tracing::error!(request_id, route, cause, "the request failed inside");
    }
    let duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::info!(request_id, route, status, code, duration_us, "request");
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

/// The whole of a function's `main`.
pub fn main(function: Function) -> ExitCode {
    exit(
        function.name,
        start(
            function.needs,
            |app, _| Ok(app),
            move |app, payload, invocation| async move {
                Ok::<_, Infallible>(invoke(app, &function, &payload, &invocation).await)
            },
        ),
    )
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

fn exit(name: &str, outcome: Result<(), lambda_runtime::Error>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is where the platform looks for the reason of a failed start.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{name}: {error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// The variables that the runtime client panics without.
const RUNTIME_VARIABLES: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
];

fn start<F, T, E>(
    needs: Needs,
    equip: impl FnOnce(App, &Config) -> Result<App, lambda_runtime::Error>,
    answer: impl Fn(Arc<App>, Vec<u8>, Invocation) -> F + Copy,
) -> Result<(), lambda_runtime::Error>
where
    F: Future<Output = Result<T, E>>,
    T: serde::Serialize,
    E: Into<lambda_runtime::Diagnostic> + std::fmt::Debug,
{
    log_as_json();
    std::panic::set_hook(Box::new(log_panic));
    let variable = |name: &str| std::env::var(name).ok();
    let config = Config::read(variable, needs)?;
    if let Some(name) = RUNTIME_VARIABLES.into_iter().find(|name| variable(name).is_none()) {
        return Err(format!("environment variable {name} is not set; this program runs inside AWS Lambda").into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let table = client::connect(&config.dynamodb, aws::http_client());
    if needs.open_table {
        runtime.block_on(client::open(&table, &config.table));
    }
    let policy = Policy::built_in()?;
    let app = App::new(&config, table, policy, Arc::new(SystemClock), Arc::new(SystemRandom));
    let app = Arc::new(equip(app, &config)?);
    runtime.block_on(lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let invocation = Invocation { id: event.context.request_id, remaining: remaining(event.context.deadline) };
        let payload = Box::<str>::from(event.payload).into_string().into_bytes();
        answer(Arc::clone(&app), payload, invocation)
    })))
}

/// Before this a time since 1970 is no time of Lambda's.
const YEAR_2001_MS: u64 = 1_000_000_000_000;

/// Until a deadline in milliseconds since 1970. `cargo lambda watch` tells how long instead.
fn remaining(deadline_ms: u64) -> Duration {
    if deadline_ms < YEAR_2001_MS {
        return Duration::from_millis(deadline_ms);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(deadline_ms).saturating_sub(now)
}

/// Where a panic was, and nothing of what it said: its message may hold a piece of a request.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let (file, line) = panic.location().map_or(("", 0), |location| (location.file(), location.line()));
    tracing::error!(file, line, "panic");
}

/// JSON lines with `timestamp` and `level`, as Lambda's log filters want them. `AWS_LAMBDA_LOG_LEVEL` sets the level; what
/// the platform calls TRACE is held at DEBUG, for the runtime's own traces hold whole payloads.
fn log_as_json() {
    let level = match std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default().to_ascii_uppercase().as_str() {
        "TRACE" | "DEBUG" => tracing::Level::DEBUG,
        "WARN" => tracing::Level::WARN,
        "ERROR" | "FATAL" => tracing::Level::ERROR,
        _ => tracing::Level::INFO,
    };
    let format = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let _ = format.with_target(false).with_max_level(level).with_writer(std::io::stderr).try_init();
}
