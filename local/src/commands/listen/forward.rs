//! Forwards the events of a feed to a program.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;

use local::client::ClientError;
use local::feed::event::FeedEvent;
use local::feed::forward::{Attempt, Fate, Forwarder, Next, RETRY};
use local::feed::position::{self, Position};
use local::feed::reader::Reader;
use local::feed::relay::{Relay, RelayError};
use local::feed::watch::Spoken;
use local::webhook::target::{Target, spoken};
use platform::clock::SystemClock;
use platform::random::SystemRandom;
use platform::secrets::signature::SigningSecret;

use super::Forward;
use crate::commands::connection::Connection;
use crate::commands::follow::{Start, begin, explained, reader};
use crate::exit::Interrupted;
use crate::output::{self, Output};
use crate::{secret_source, signal};

/// Forwards until a signal to stop, or until nothing reads the output.
pub async fn run(
    to: &str,
    args: &Forward,
    secret_file: Option<&Path>,
    connection: &Connection,
) -> Result<(), Box<dyn Error>> {
    let given = secret_source::signing_secrets(secret_file)?.into_iter().next();
    // Before the first call, so that a wrong target is found at once.
    Target::new(to, args.allow_remote, SigningSecret::from_bytes(&[0; 32]))?;
    // Before signals are caught, so that Ctrl-C ends a prompt for the key.
    let client = connection.client()?;
    let stopped = signal::stop()?;
    tokio::select! {
        ended = forward(to, args, given, client) => ended,
        () = stopped => Err(Interrupted.into()),
        () = output::reader_gone() => Ok(()),
    }
}

async fn forward(
    to: &str,
    args: &Forward,
    given: Option<SigningSecret>,
    client: local::client::Client,
) -> Result<(), Box<dyn Error>> {
    let mut reader = reader(client).await?;
    let position = open(args, &mut reader).await?;
    let mut relay = relay(to, args, given, reader, position)?;
    let error = match relay.run(print).await {
        Ok(()) => return Ok(()),
        Err(RelayError::Client(error)) => rejected(error, &relay.position),
        // The causes, so that a closed output is recognized.
        Err(RelayError::Output(error)) => error.into(),
        Err(error) => error.into(),
    };
    Err(error)
}

/// Opens the position, and takes the reader there.
async fn open(args: &Forward, reader: &mut Reader) -> Result<Position, Box<dyn Error>> {
    let file = match &args.state {
        Some(file) => file.clone(),
        None => position::default_file(reader.url(), reader.owner())?,
    };
    let mut position = Position::open(&file, reader.url(), reader.owner())?;
    if let Some(cursor) = position.after().filter(|_| !args.forget) {
        reader.start_after(cursor);
        if args.from.is_some() {
            output::warn(&format!("--from is ignored, because {} has a position; use --forget.", file.display()));
        }
        return Ok(position);
    }
    begin(reader, args.from.as_ref().unwrap_or(&Start::Now)).await?;
    position.advance(reader.cursor())?;
    Ok(position)
}

fn relay(
    to: &str,
    args: &Forward,
    given: Option<SigningSecret>,
    reader: Reader,
    mut position: Position,
) -> Result<Relay, Box<dyn Error>> {
    let own = given.is_none();
    let secret = match given {
        Some(secret) => secret,
        None => position.secret(&SystemRandom)?,
    };
    let text = own.then(|| secret.to_whsec());
    let target = Target::new(to, args.allow_remote, secret)?;
    welcome(&reader, &position, &target, text.as_deref())?;
    let attempts = args.attempts.map(Into::into);
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    Ok(Relay { reader, position, forwarder: Forwarder { target, retry: RETRY, attempts, clock, random } })
}

fn welcome(reader: &Reader, position: &Position, target: &Target, secret: Option<&str>) -> io::Result<()> {
    let mut out = Output::stdout();
    out.heading(&format!("Forwarding the events of {} at {} to {}", reader.owner(), reader.url(), target.url()))?;
    match secret {
        Some(secret) => out.entry("Signing secret", &format!("{secret} (the same at the next start)"))?,
        None => out.entry("Signing secret", "(the one you provided)")?,
    }
    out.entry("Position", &position.path().display().to_string())?;
    out.note("New events arrive about 12 s after they happen. Press Ctrl-C to stop.")?;
    out.flush()
}

fn rejected(error: ClientError, position: &Position) -> Box<dyn Error> {
    let file = position.path().display().to_string();
    explained(
        error,
        &format!("What is stored in {file}"),
        "To begin again, use --forget with --from start or --from now.",
    )
}

fn print(event: &FeedEvent, attempt: &Attempt) -> io::Result<()> {
    let next = match attempt.next {
        Next::End(Fate::Delivered | Fate::Disabled { .. }) => String::new(),
        Next::End(Fate::GivenUp) => format!(" (attempt {}, the last: given up)", attempt.number),
        Next::End(Fate::Aborted) => " (given up, as the program asked)".to_owned(),
        Next::Retry(wait) => format!(" (attempt {}; again in {})", attempt.number, Spoken(wait)),
    };
    let mut out = Output::stdout();
    out.line(&format!("{}  {}  {}  {}{next}", event.occurred_at, event.kind, event.id, spoken(&attempt.result)))?;
    out.flush()
}
