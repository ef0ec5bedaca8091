//! `webhook`: signs, sends and checks messages.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use local::webhook::check::{Received, check};
use local::webhook::samples::{Sample, kinds, sample};
use local::webhook::target::{Target, spoken};
use local::webhook::{headers, new_id};
use platform::clock::{Clock, SystemClock};
use platform::outbound::Outcome;
use platform::random::SystemRandom;
use platform::secrets::signature::{SignatureHeader, SigningSecret};
use serde_json::Value;

use super::args;
use crate::exit::UsageError;
use crate::output::Output;
use crate::secret_source;

/// The largest body, in bytes.
const BODY_MAX: u64 = 1024 * 1024;

#[derive(Debug, clap::Args)]
pub struct Webhook {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the three headers that sign a body.
    Sign(Sign),
    /// Send a signed sample event to a program, and print its response.
    Send(Send),
    /// Check the headers and body of a message, and say what is wrong with it.
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
struct Secret {
    /// File with the signing secret, or with two on separate lines during a rotation; default: the environment variable
    /// MULTIPARTNER_WEBHOOK_SECRET, then a hidden prompt on a terminal.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Sign {
    /// File with the body, or - for standard input.
    #[arg(default_value = "-", value_name = "BODY")]
    body: PathBuf,
    /// Value of `webhook-id`; default: a new one.
    #[arg(long, value_parser = args::message_id)]
    id: Option<String>,
    /// Value of `webhook-timestamp`, in Unix seconds; default: now.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..))]
    timestamp: Option<i64>,
    #[command(flatten)]
    secret: Secret,
}

#[derive(Debug, clap::Args)]
struct Send {
    /// Where to send it: http://127.0.0.1:PORT, with a path if it needs one.
    url: String,
    /// Type of the sample event.
    #[arg(long = "type", value_name = "TYPE", default_value = "invitation.accepted", conflicts_with = "body",
        value_parser = clap::builder::PossibleValuesParser::new(kinds()), hide_possible_values = true)]
    kind: String,
    /// File with another body, or - for standard input.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Value of `webhook-id`; default: the event's id, or a new one.
    #[arg(long, value_parser = args::message_id)]
    id: Option<String>,
    /// Allow a public https URL.
    #[arg(long)]
    allow_remote: bool,
    #[command(flatten)]
    secret: Secret,
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// File with the body exactly as it was received, or - for standard input.
    #[arg(default_value = "-", value_name = "BODY")]
    body: PathBuf,
    /// File with the headers, one a line as `name: value`. Other headers are ignored.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["id", "timestamp", "signature"])]
    headers: Option<PathBuf>,
    /// Value of `webhook-id`.
    #[arg(long)]
    id: Option<String>,
    /// Value of `webhook-timestamp`.
    #[arg(long)]
    timestamp: Option<String>,
    /// Value of `webhook-signature`.
    #[arg(long)]
    signature: Option<String>,
    /// Do not check the age of the message.
    #[arg(long)]
    ignore_time: bool,
    #[command(flatten)]
    secret: Secret,
}

impl Secret {
    /// The secrets, newest first. There is at least one.
    fn read(&self) -> Result<Vec<SigningSecret>, Box<dyn Error>> {
        let secrets = secret_source::signing_secrets_or_prompt(self.secret_file.as_deref());
        Ok(secrets.map_err(|error| UsageError(error.to_string()))?)
    }

    fn newest(&self) -> Result<SigningSecret, Box<dyn Error>> {
        let none = || UsageError("there is no signing secret".to_owned());
        Ok(self.read()?.into_iter().next().ok_or_else(none)?)
    }
}

pub async fn run(args: Webhook) -> Result<(), Box<dyn Error>> {
    match args.command {
        Command::Sign(args) => sign(&args),
        Command::Send(args) => send(&args).await,
        Command::Verify(args) => verify(&args),
    }
}

fn sign(args: &Sign) -> Result<(), Box<dyn Error>> {
    let secret = args.secret.newest()?;
    let body = read(&args.body)?;
    let id = args.id.clone().unwrap_or_else(|| new_id("msg_", &SystemRandom));
    let timestamp = args.timestamp.unwrap_or_else(|| SystemClock.now().seconds());
    let mut out = Output::stdout();
    for (name, value) in headers(&secret, &id, timestamp, &body) {
        out.line(&format!("{name}: {value}"))?;
    }
    Ok(out.flush()?)
}

async fn send(args: &Send) -> Result<(), Box<dyn Error>> {
    let target = Target::new(&args.url, args.allow_remote, args.secret.newest()?)?;
    let Sample { id, body } = message(args)?;
    let attempted = target.send(&id, &body, &SystemClock).await;
    let mut out = Output::stdout();
    out.line(&format!("{}  {id}  {}", kind_of(&body), spoken(&attempted)))?;
    if let Outcome::Answered(reply) = &attempted.outcome {
        reply.excerpt.lines().try_for_each(|line| out.line(line))?;
    }
    out.flush()?;
    if attempted.outcome.is_delivered() { Ok(()) } else { Err("the message was not accepted with 2xx".into()) }
}

fn message(args: &Send) -> Result<Sample, Box<dyn Error>> {
    let mut message = match &args.body {
        Some(file) => Sample { id: new_id("msg_", &SystemRandom), body: read(file)? },
        None => sample(&args.kind, SystemClock.now(), &SystemRandom)
            .ok_or_else(|| UsageError(format!("there is no type {}", args.kind)))?,
    };
    if let Some(id) = &args.id {
        message.id.clone_from(id);
    }
    Ok(message)
}

fn kind_of(body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    json["type"].as_str().unwrap_or("(no type)").to_owned()
}

fn verify(args: &Verify) -> Result<(), Box<dyn Error>> {
    let secrets = args.secret.read()?;
    let received = match &args.headers {
        Some(file) if file == Path::new("-") && args.body == Path::new("-") => {
            return Err(UsageError("headers and body cannot both be standard input".to_owned()).into());
        }
        Some(file) => received(&String::from_utf8_lossy(&read(file)?))?,
        None => Received { id: args.id.clone(), timestamp: args.timestamp.clone(), signature: args.signature.clone() },
    };
    let body = read(&args.body)?;
    let now = (!args.ignore_time).then(|| SystemClock.now());
    check(&received, &body, &secrets, now)?;
    let mut out = Output::stdout();
    out.line(&format!("The signature is valid. Type: {}", kind_of(&body)))?;
    Ok(out.flush()?)
}

/// The three headers in a list of headers, as `webhook sign`, `curl -D` and `curl -v` print them.
fn received(text: &str) -> Result<Received, UsageError> {
    let mut received = Received::default();
    for line in text.lines() {
        let line = line.strip_prefix(['>', '<']).unwrap_or(line);
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = name.trim();
        let place = [
            (SignatureHeader::Id, &mut received.id),
            (SignatureHeader::Timestamp, &mut received.timestamp),
            (SignatureHeader::Signature, &mut received.signature),
        ];
        let Some((header, place)) = place.into_iter().find(|(header, _)| header.name().eq_ignore_ascii_case(name))
        else {
            continue;
        };
        if place.replace(value.trim().to_owned()).is_some() {
            return Err(UsageError(format!("duplicate header {header}")));
        }
    }
    Ok(received)
}

fn read(file: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    let failed = |error: io::Error| UsageError(format!("cannot read {}: {error}", file.display()));
    if file == Path::new("-") {
        io::stdin().lock().take(BODY_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        File::open(file).and_then(|file| file.take(BODY_MAX + 1).read_to_end(&mut bytes)).map_err(failed)?;
    }
    if bytes.len() as u64 > BODY_MAX {
        return Err(UsageError(format!("{} has more than 1 MiB", file.display())).into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_in_the_output_of_curl() {
        let text = "HTTP/1.1 200 OK\r\nContent-Type: a: b\r\n> Webhook-Id: msg_1\r\nwebhook-timestamp:1\nwebhook-signature: v1,a v1,b\n\n";
        let found = received(text).unwrap();
        let texts = [found.id, found.timestamp, found.signature].map(Option::unwrap_or_default);
        assert_eq!(texts, ["msg_1", "1", "v1,a v1,b"]);
        let error = received("webhook-id: a\nwebhook-id: b\n").unwrap_err();
        assert_eq!(error.to_string(), "duplicate header webhook-id");
    }
}
