//! What an error means for the caller: its exit code, and what is printed.

use std::error::Error;
use std::process::ExitCode;

use local::client::{ClientError, ProfileError, Rejection};
use local::export::ExportError;
use local::feed::position::PositionError;
use local::import::{Refused, Stop};
use local::webhook::target::TargetError;

use crate::commands::Failure;
use crate::commands::connection::ConnectionError;
use crate::output;
use crate::secret_source::SecretError;

/// The exit codes of the commands that call a deployment, for `--help` and the documentation. Clap itself exits with 2.
pub const CODES: &[(u8, &str)] = &[
    (0, "done"),
    (REJECTED, "rejected by the service, or failed"),
    (USAGE, "wrong arguments or settings; nothing was sent"),
    (RETRYABLE, "the service cannot be reached, or says that the same call can succeed later"),
    (KEY, "the access key is missing, invalid, or of another kind of caller"),
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

/// An error after which a secret may exist that was never shown, and how to get it. The error is not its source, so that a
/// closed output is a failure here.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Repeatable {
    error: Failure,
    remedy: String,
}

impl Repeatable {
    /// An error after the response, for example of printing it.
    pub fn new(error: impl Into<Failure>, remedy: &str) -> Self {
        Self { error: error.into(), remedy: remedy.to_owned() }
    }

    /// An error of the call. It stays as it is if the call had no effect.
    pub fn of_call(error: ClientError, remedy: &str) -> Failure {
        let is_open = error.is_retryable() || matches!(error, ClientError::Unexpected(_));
        if is_open { Self::new(error, remedy).into() } else { error.into() }
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
        return number(repeatable.error.as_ref());
    }
    if let Some(export) = error.downcast_ref::<ExportError>() {
        return match export {
            ExportError::Client(error) => number(error),
            ExportError::WrongKey { .. } => KEY,
            ExportError::NotOperator => USAGE,
            ExportError::Output(_) => REJECTED,
        };
    }
    match error.downcast_ref::<ConnectionError>() {
        Some(ConnectionError::Key(_) | ConnectionError::NoKey) => KEY,
        Some(ConnectionError::Client(error)) => number(error),
        Some(ConnectionError::Address { .. } | ConnectionError::Profile(_)) => USAGE,
        None if error.is::<UsageError>() || error.is::<ProfileError>() || error.is::<SecretError>() => USAGE,
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
    let inner = repeatable.map_or(error, |repeatable| repeatable.error.as_ref());
    let client = inner.downcast_ref::<ClientError>();
    for line in client.map(lines).unwrap_or_default() {
        output::warn(&format!("  {line}"));
    }
    if let Some(Repeatable { remedy, .. }) = repeatable {
        output::warn(&format!("  {remedy}"));
    }
}

fn lines(error: &ClientError) -> Vec<String> {
    let mut lines = error.rejection().map(rejected).unwrap_or_default();
    match error {
        ClientError::Key(_) => {
            lines.push(
                "Set MULTIPARTNER_KEY, or use --key-file. Check that the key belongs to this deployment.".to_owned(),
            );
        }
        ClientError::Unreachable { is_sent_change, .. } => {
            let effect = if *is_sent_change { " The call may have taken effect." } else { "" };
            lines.push(format!("Check --url, and that the deployment runs.{effect}"));
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
    let remedy = rejection.remedy().filter(|remedy| !rejection.detail.contains(*remedy));
    lines.extend(remedy.map(|remedy| format!("To do: {remedy}")));
    lines
}
