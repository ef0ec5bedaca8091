//! `cargo run`: see [`cli`] for what it can do.

mod cli;
mod commands;
mod demo;
mod output;
mod signal;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{Cli, Command, Serve};
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log(cli.log);
    match run(cli.command.unwrap_or_else(|| Command::Serve(Serve::default()))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::fail(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match command {
        Command::Serve(given) => runtime.block_on(commands::serve(given)),
        Command::Demo => Ok(runtime.block_on(demo::play(Output::stdout().boxed()))?),
        Command::Verify(given) => runtime.block_on(commands::verify(given)),
        Command::Dynamodb(given) => runtime.block_on(commands::dynamodb(given)),
        Command::Listen(given) => runtime.block_on(commands::listen(given)),
        Command::Keygen => Ok(commands::keygen()?),
    }
}

/// Lines for a person, on standard error, where they do not mix with what is meant to be read or piped.
fn log(what: Targets) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let _ = tracing_subscriber::registry().with(lines).with(what).try_init();
}
