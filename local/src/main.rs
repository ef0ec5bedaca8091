//! `cargo run`: see [`cli`] for its commands.

mod cli;
mod commands;
mod demo;
mod exit;
mod logging;
mod output;
mod prompt;
mod secret_source;
mod signal;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::commands::serve::Serve;
use crate::commands::{
    completions, customer, dynamodb, endpoint, events, export, grant, import, invitation, invite, key, keygen, listen,
    open, partner, policy, profile, relationship, serve, sign_in, subscription, verify, webhook, whoami,
};
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start(cli.log);
    match run(cli.command.unwrap_or_else(|| Command::Serve(Serve::default()))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            exit::report(error.as_ref());
            exit::code(error.as_ref())
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match command {
        Command::Serve(args) => runtime.block_on(serve::run(args)),
        Command::Demo => Ok(runtime.block_on(demo::play(Output::stdout().boxed()))?),
        Command::Verify(args) => runtime.block_on(verify::run(args)),
        Command::Dynamodb(args) => runtime.block_on(dynamodb::run(args)),
        Command::Listen(args) => runtime.block_on(listen::run(*args)),
        Command::SignIn(args) => runtime.block_on(sign_in::run(args)),
        Command::Import(args) => runtime.block_on(import::run(args)),
        Command::Export(args) => runtime.block_on(export::run(args)),
        Command::Keygen => Ok(keygen::run()?),
        Command::Partner(args) => runtime.block_on(partner::run(args)),
        Command::Customer(args) => runtime.block_on(customer::run(args)),
        Command::Key(args) => runtime.block_on(key::run(args)),
        Command::Invite(args) => runtime.block_on(invite::run(args)),
        Command::Invitation(args) => runtime.block_on(invitation::run(args)),
        Command::Grant(args) => runtime.block_on(grant::run(args)),
        Command::Relationship(args) => runtime.block_on(relationship::run(args)),
        Command::Subscription(args) => runtime.block_on(subscription::run(args)),
        Command::Events(args) => runtime.block_on(events::run(args)),
        Command::Webhook(args) => runtime.block_on(webhook::run(args)),
        Command::Endpoint(args) => runtime.block_on(endpoint::run(args)),
        Command::Policy(args) => runtime.block_on(policy::run(args)),
        Command::Whoami(args) => runtime.block_on(whoami::run(args)),
        Command::Open(args) => open::run(args),
        Command::Profile(args) => profile::run(args),
        Command::Completions(args) => completions::run(args),
    }
}
