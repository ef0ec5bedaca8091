//! `events`: the events of the key's owner.

use std::error::Error;

use super::tail::{self, Tail};

#[derive(Debug, clap::Args)]
pub struct Events {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print events as lines of JSON, oldest first, and wait for more.
    Tail(Tail),
}

pub async fn run(args: Events) -> Result<(), Box<dyn Error>> {
    match args.command {
        Command::Tail(args) => tail::run(args).await,
    }
}
