//! The receiver: checks and prints each webhook.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;

use local::listen::{Listener, Message, Received};
use tokio::sync::Notify;

use crate::commands::host::THIS_MACHINE;
use crate::output::Output;
use crate::{secret_source, signal};

/// Receives webhooks until a signal to stop.
pub async fn run(port: u16, secret_file: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let secrets = secret_source::signing_secrets(secret_file)?;
    let unchecked = secrets.is_empty();
    let closed = Arc::new(Notify::new());
    let report = {
        let closed = Arc::clone(&closed);
        move |received: &Received| {
            if print(received).is_err() {
                closed.notify_one();
            }
        }
    };
    let listener = Listener::start(THIS_MACHINE, port, secrets, report).await?;
    let stopped = signal::stop()?;
    let mut out = Output::stdout();
    out.heading(&format!("Listening for webhooks at {}", listener.url()))?;
    if unchecked {
        out.note("Signatures are not checked. To check them, use --secret-file or MULTIPARTNER_WEBHOOK_SECRET.")?;
    }
    out.note("Press Ctrl-C to stop.")?;
    out.flush()?;
    drop(out);
    tokio::select! {
        () = stopped => {}
        // There is nothing left to do without a reader.
        () = closed.notified() => {}
    }
    listener.stop().await;
    Ok(())
}

fn print(received: &Received) -> io::Result<()> {
    let mut out = Output::stdout();
    match received {
        Received::Message(Message { id, kind, body, verified, repeated }) => {
            let checked = if *verified { "signature valid" } else { "signature not checked" };
            let repeated = if *repeated { ", repeated" } else { "" };
            out.heading(&format!("{kind}  {id}  ({checked}{repeated})"))?;
            body.lines().try_for_each(|line| out.line(line))?;
        }
        Received::Rejected(reason) => out.heading(&format!("Rejected: {reason}"))?,
    }
    out.flush()
}
