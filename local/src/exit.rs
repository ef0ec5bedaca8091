//! What an error means for the caller: its exit code, and what is printed.

use std::error::Error;
use std::process::ExitCode;

use local::client::{ClientError, ProfileError, Rejection};
use local::feed::position::PositionError;
use local::import::{Refused, Stop};
use local::webhook::target::TargetError;

use crate::commands::Failure;
use crate::commands::connection::ConnectionError;
use crate::output;

/// The exit codes of the commands that call a deployment, for `--help` and the documentation. Clap itself exits with 2.
pub const CODES: &[(u8, &str)] = &[
    (0, "done"),
    (REJECTED, "rejected by the service, or failed"),
    (USAGE, "wrong arguments or settings; nothing was sent"),
    (RETRYABLE, "the service cannot be reached, or says that the same call can succeed later"),
    (KEY, "the access key is missing or invalid"),
    (INTERRUPTED, "interrupted with Ctrl-C"),
];

/// The exit codes as lines of `--help`.
pub fn help() -> String {
    let lines: Vec<_> = CODES.iter().map(|(code, meaning)| format!("  {code:<4} {meaning}")).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}

const REJECTED: u8 = 1;
const USAGE: u8 = 2;
const RETRYABLE: u8 = 3;
const KEY: u8 = 4;
const INTERRUPTED: u8 = 130;

/// Wrong arguments or settings that clap cannot know of. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// A signal ended a command that ends only by one. There is nothing to report.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// An error of a call with an idempotency key, after which the same command can be repeated.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Repeatable {
    error: ClientError,
    idempotency_key: String,
}

impl Repeatable {
    /// Other errors stay as they are.
    pub fn wrap(error: Failure, idempotency_key: String) -> Failure {
        match error.downcast::<ClientError>() {
            Ok(error) if error.is_retryable() => Box::new(Self { error: *error, idempotency_key }),
            Ok(error) => error,
            Err(error) => error,
        }
    }
}

pub fn code(error: &(dyn Error + 'static)) -> ExitCode {
    ExitCode::from(number(error))
}

fn number(error: &(dyn Error + 'static)) -> u8 {
    if let Some(error) = error.downcast_ref::<ClientError>() {
        return match error {
            ClientError::Unreachable { .. } | ClientError::Retryable(..) => RETRYABLE,
            ClientError::Key(_) => KEY,
            ClientError::Setup(_) | ClientError::Rejected(_) | ClientError::Unexpected(_) => REJECTED,
        };
    }
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return match stop {
            Stop::File(error) if error.is_before_sending() => USAGE,
            Stop::Refused(Refused::Client(error)) => number(error),
            Stop::Refused(Refused::WrongKey { .. }) => KEY,
            Stop::Interrupted => INTERRUPTED,
            Stop::File(_) | Stop::Output(_) => REJECTED,
        };
    }
    if let Some(repeatable) = error.downcast_ref::<Repeatable>() {
        return number(&repeatable.error);
    }
    match error.downcast_ref::<ConnectionError>() {
        Some(ConnectionError::Key(_) | ConnectionError::NoKey) => KEY,
        Some(ConnectionError::Client(error)) => number(error),
        Some(ConnectionError::Address { .. } | ConnectionError::Profile(_)) => USAGE,
        None if error.is::<UsageError>() || error.is::<ProfileError>() => USAGE,
        None if error.is::<TargetError>() || error.is::<PositionError>() => USAGE,
        None if error.is::<Interrupted>() => INTERRUPTED,
        None => REJECTED,
    }
}

/// Prints the error to standard error: what is wrong and what to do.
pub fn report(error: &(dyn Error + 'static)) {
    if error.is::<Interrupted>() {
        return;
    }
    output::fail(&error);
    let repeatable = error.downcast_ref::<Repeatable>();
    let client = repeatable.map(|repeatable| &repeatable.error).or(error.downcast_ref());
    for line in client.map(lines).unwrap_or_default() {
        output::warn(&format!("  {line}"));
    }
    if let Some(Repeatable { idempotency_key, .. }) = repeatable {
        output::warn(&format!(
            "  To repeat the command without doing it twice, add --idempotency-key {idempotency_key}"
        ));
    }
}

fn lines(error: &ClientError) -> Vec<String> {
    let mut lines = error.rejection().map(rejected).unwrap_or_default();
    match error {
        ClientError::Key(_) => {
            lines.push("Set MULTIPARTNER_KEY, or use --key-file. Is the key for this deployment?".to_owned());
        }
        ClientError::Unreachable { .. } => {
            lines.push("Check --url, and that the deployment runs. The call may have taken effect.".to_owned());
        }
        ClientError::Retryable(_, Some(wait)) => lines.push(format!("Try again in {} s.", wait.as_secs())),
        _ => {}
    }
    lines
}

fn rejected(rejection: &Rejection) -> Vec<String> {
    let mut lines = Vec::new();
    let places = rejection.errors.iter();
    lines.extend(places.map(|place| format!("{}: {} ({})", place.pointer, place.detail, place.code.as_str())));
    lines.extend(rejection.extensions().iter().map(|(name, value)| format!("{name}: {value}")));
    lines.extend(rejection.code.as_ref().map(|code| format!("code: {code} (HTTP {})", rejection.status)));
    lines.extend(rejection.request_id.as_ref().map(|id| format!("request: {id}")));
    lines.extend(rejection.remedy().map(|remedy| format!("To do: {remedy}")));
    lines
}
