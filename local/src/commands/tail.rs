//! `events tail`: prints the feed, one event a line, and follows it.

use std::error::Error;
use std::io;

use local::feed::event::FeedEvent;
use local::feed::reader::Reader;

use super::connection::Connection;
use super::follow::{Start, begin, explained, reader};
use crate::exit::Interrupted;
use crate::output::{self, Output};
use crate::signal;

#[derive(Debug, clap::Args)]
pub struct Tail {
    /// Where to begin: the oldest event, only new events, or after the cursor of an earlier run.
    #[arg(long, value_name = "start|now|CURSOR", default_value = "now")]
    from: Start,
}

/// Prints until a signal to stop, or until nothing reads the output.
pub async fn run(args: Tail, connection: &Connection) -> Result<(), Box<dyn Error>> {
    // Before signals are caught, so that Ctrl-C ends a prompt for the key.
    let client = connection.client()?;
    let stopped = signal::stop()?;
    let mut cursor = None;
    let ended = tokio::select! {
        ended = follow(client, &args.from, &mut cursor) => ended,
        () = stopped => Err(Interrupted.into()),
        () = output::reader_gone() => return Ok(()),
    };
    let is_closed = ended.as_ref().is_err_and(|error| output::is_closed(error.as_ref()));
    if let Some(cursor) = cursor.filter(|cursor: &String| !cursor.is_empty() && !is_closed) {
        output::warn(&format!("To continue, run it again with: --from {cursor}"));
    }
    ended
}

async fn follow(
    client: local::client::Client,
    start: &Start,
    cursor: &mut Option<String>,
) -> Result<(), Box<dyn Error>> {
    let mut reader: Reader = reader(client).await?;
    let rejected = |error| explained(error, "--from", "Use --from start.");
    begin(&mut reader, start).await?;
    loop {
        *cursor = Some(reader.cursor().to_owned());
        let page = reader.next().await.map_err(rejected)?;
        print(&page.events)?;
        reader.advance(&page);
    }
}

fn print(events: &[FeedEvent]) -> io::Result<()> {
    let mut out = Output::stdout();
    events.iter().try_for_each(|event| out.line(&event.line()))?;
    out.flush()
}
