//! Reads the configuration, connects, and serves events from the Lambda runtime.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;

use super::log::{log_as_json, log_panic};
use crate::aws;
use crate::clock::SystemClock;
use crate::config::{Config, Needs};
use crate::handler::App;
use crate::random::SystemRandom;
use crate::store::client;
use domain::Policy;

/// One call by the platform.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The platform's id for it.
    pub id: String,
    /// Until the platform gives up.
    pub remaining: Duration,
}

pub(super) fn exit(name: &str, outcome: Result<(), lambda_runtime::Error>) -> ExitCode {
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

pub(super) fn start<F, T, E>(
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
