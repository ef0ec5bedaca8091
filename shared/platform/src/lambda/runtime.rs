//! Reads the configuration, connects, and serves events from the Lambda runtime.

use std::future::Future;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use domain::PolicyError;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;
use tokio::runtime::Runtime;

use super::log::{log_as_json, log_panic};
use super::master_keys::{MasterKeyError, confirm_master_keys};
use crate::aws;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError, Needs};
use crate::outbound::SenderError;
use crate::random::SystemRandom;
use crate::store::{Store, client};

/// One invocation by Lambda.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Lambda's request id.
    pub id: String,
    /// The time until Lambda ends the invocation.
    pub remaining: Duration,
}

/// Why a function did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("environment variable {0} is not set; this program runs only inside AWS Lambda")]
    OutsideLambda(&'static str),
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    #[error("the built-in policy is not valid: {0}")]
    Policy(#[from] PolicyError),
    #[error("webhooks cannot be sent: {0}")]
    Sender(#[from] SenderError),
    #[error("the async runtime did not start: {0}")]
    Tokio(#[from] std::io::Error),
    #[error("the Lambda runtime client stopped: {0}")]
    Lambda(lambda_runtime::Error),
}

/// The exit code of a function. Lambda reports what a failed start wrote to standard error.
pub(super) fn exit(name: &str, outcome: Result<(), StartError>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Variables that Lambda always sets. The runtime client panics without them.
const RUNTIME_VARIABLES: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
];

/// A function that has started: it has read its configuration.
pub(super) struct Started {
    pub(super) config: Config,
    runtime: Runtime,
}

impl Started {
    pub(super) fn new(needs: Needs) -> Result<Self, StartError> {
        log_as_json();
        std::panic::set_hook(Box::new(log_panic));
        let variable = |name: &str| std::env::var(name).ok();
        let config = Config::read(variable, needs)?;
        if let Some(name) = RUNTIME_VARIABLES.into_iter().find(|name| variable(name).is_none()) {
            return Err(StartError::OutsideLambda(name));
        }
        Ok(Self { config, runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()? })
    }

    /// A client for the table. Functions that use the table for every request connect now.
    pub(super) fn table(&self, needs: Needs) -> Result<Client, StartError> {
        let Self { config, runtime } = self;
        let table = client::connect(&config.dynamodb, aws::http_client());
        if needs.master_key {
            let clock = Arc::new(SystemClock);
            let store = Store::new(table.clone(), config.table.clone(), clock.clone(), Arc::new(SystemRandom));
            runtime.block_on(confirm_master_keys(&store, &config.master_keys, clock.now()))?;
        } else if needs.open_table {
            runtime.block_on(client::open(&table, &config.table));
        }
        Ok(table)
    }

    /// Hands every event to the worker `W` until Lambda ends the process.
    pub(super) fn serve<W, F, T, E>(
        self,
        worker: W,
        handle: impl Fn(Arc<W>, Vec<u8>, Invocation) -> F,
    ) -> Result<(), StartError>
    where
        F: Future<Output = Result<T, E>>,
        T: serde::Serialize,
        E: Into<lambda_runtime::Diagnostic> + std::fmt::Debug,
    {
        let worker = Arc::new(worker);
        let serve = lambda_runtime::run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
            let invocation = Invocation { id: event.context.request_id, remaining: remaining(event.context.deadline) };
            let payload = Box::<str>::from(event.payload).into_string().into_bytes();
            handle(Arc::clone(&worker), payload, invocation)
        }));
        self.runtime.block_on(serve).map_err(StartError::Lambda)
    }
}

/// 2001-09-09 in milliseconds since 1970. Every deadline of Lambda is later.
const YEAR_2001_MS: u64 = 1_000_000_000_000;

/// The time until a deadline in milliseconds since 1970. `cargo lambda watch` sends a duration in milliseconds instead.
fn remaining(deadline_ms: u64) -> Duration {
    if deadline_ms < YEAR_2001_MS {
        return Duration::from_millis(deadline_ms);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(deadline_ms).saturating_sub(now)
}
