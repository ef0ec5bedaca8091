//! `listen`: receives webhooks, or forwards the events of any deployment to a program on this machine.

mod forward;
mod receive;

use std::error::Error;
use std::num::NonZeroU32;
use std::path::PathBuf;

use super::connection::Connection;
use super::follow::Start;
use crate::exit::UsageError;

#[derive(Debug, clap::Args)]
pub struct Listen {
    /// Port to listen on, on 127.0.0.1; 0 takes a free port.
    #[arg(long, default_value_t = 4000, conflicts_with = "forward_to")]
    port: u16,
    /// File with the endpoint's signing secret, or with two on separate lines during a rotation; default: the environment
    /// variable MULTIPARTNER_WEBHOOK_SECRET. Without a secret, a receiver does not check signatures, and forwarding makes a
    /// secret and prints it.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    forward: Forward,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
struct Forward {
    /// Program that gets the events: http://127.0.0.1:PORT, with a path if it needs one.
    #[arg(long, value_name = "URL")]
    forward_to: Option<String>,
    /// Where to begin the first time: the oldest event, only new events (default), or after a cursor. Later starts continue
    /// where the last one stopped.
    #[arg(long, value_name = "start|now|CURSOR", requires = "forward_to")]
    from: Option<Start>,
    /// File that remembers how far forwarding got; default: one file for each address and tenant in
    /// ~/.local/state/multipartner.
    #[arg(long, value_name = "FILE", requires = "forward_to")]
    state: Option<PathBuf>,
    /// Forget how far forwarding got, and begin again as --from says.
    #[arg(long, requires = "forward_to")]
    forget: bool,
    /// Attempts for each event before it is given up and the next one follows; default: no limit, because the events after it
    /// wait and none is lost.
    #[arg(long, value_name = "NUMBER", requires = "forward_to")]
    attempts: Option<NonZeroU32>,
    /// Allow a public https URL as the program.
    #[arg(long, requires = "forward_to")]
    allow_remote: bool,
}

pub async fn run(args: Listen) -> Result<(), Box<dyn Error>> {
    let Listen { port, secret_file, forward, connection } = args;
    match forward.forward_to.clone() {
        Some(to) => forward::run(&to, &forward, secret_file.as_deref(), &connection).await,
        None if is_set(&connection) => {
            Err(UsageError("--url, --profile and --key-file need --forward-to: a receiver makes no calls".into())
                .into())
        }
        None => receive::run(port, secret_file.as_deref()).await,
    }
}

fn is_set(connection: &Connection) -> bool {
    connection.url.is_some() || connection.profile.is_some() || connection.key_file.is_some()
}
