//! The command line.

use clap::{Parser, Subcommand};
use tracing_subscriber::filter::Targets;

use crate::commands::completions::Completions;
use crate::commands::customer::Customer;
use crate::commands::dynamodb::Dynamodb;
use crate::commands::endpoint::Endpoint;
use crate::commands::events::Events;
use crate::commands::export::Export;
use crate::commands::grant::Grant;
use crate::commands::import::Import;
use crate::commands::invitation::Invitation;
use crate::commands::invite::Invite;
use crate::commands::key::Key;
use crate::commands::listen::Listen;
use crate::commands::open::Open;
use crate::commands::partner::Partner;
use crate::commands::policy::Policy;
use crate::commands::profile::Profile;
use crate::commands::relationship::Relationship;
use crate::commands::serve::Serve;
use crate::commands::sign_in::SignIn;
use crate::commands::subscription::Subscription;
use crate::commands::verify::Verify;
use crate::commands::webhook::Webhook;
use crate::commands::whoami::Whoami;
use crate::{exit, logging};

/// Run Multipartner on one machine: the functions of a deployment behind an emulated API Gateway, on an embedded DynamoDB
/// engine. Or use any deployment from the command line.
#[derive(Debug, Parser)]
#[command(name = "multipartner", version, after_help = exit::help())]
pub struct Cli {
    /// Command to run; `serve` if omitted.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Log level: off, error, warn, info (one line per request), debug or trace; per module as in `warn,platform=debug`.
    #[arg(long, global = true, default_value = "warn", value_name = "LEVEL", value_parser = logging::parse)]
    pub log: Targets,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the API with sample data.
    Serve(Serve),
    /// Run the sample scenario over HTTP and check every guarantee in it.
    Demo,
    /// Check that every record in a data folder is as its events left it. The folder may be in use.
    Verify(Verify),
    /// Start only the embedded DynamoDB engine with the table, for `sam local` and `cargo lambda`.
    Dynamodb(Dynamodb),
    /// Receive webhooks, or forward the events of any deployment to a program on this machine.
    ///
    /// Without --forward-to it is a receiver: it checks and prints the webhooks that are sent to its port. With --forward-to it
    /// reads the events of a partner or customer at any deployment and sends each to a program on this machine, signed like a
    /// real webhook. That needs no endpoint and no public address.
    Listen(Box<Listen>),
    /// Check how a deployment is set up for sign-in.
    SignIn(SignIn),
    /// Import customers, relationships, invitations or subscriptions from a CSV file.
    Import(Import),
    /// Export records as CSV or JSON.
    Export(Export),
    /// Generate an operator key, and its hash for a deployment.
    Keygen,
    /// Enroll and manage partners.
    Partner(Partner),
    /// Register and correct customers.
    Customer(Customer),
    /// Issue and revoke access keys.
    Key(Key),
    /// Invite a customer.
    Invite(Invite),
    /// List, renew and cancel invitations.
    Invitation(Invitation),
    /// List, narrow and end grants of delegated administration.
    Grant(Grant),
    /// List, import and end relationships.
    Relationship(Relationship),
    /// Register and list subscriptions.
    Subscription(Subscription),
    /// List events, or print them as they happen.
    Events(Events),
    /// Sign, send and check webhooks.
    Webhook(Webhook),
    /// Manage webhook endpoints.
    Endpoint(Endpoint),
    /// Show the policy in force.
    Policy(Policy),
    /// Show whose access key it is.
    Whoami(Whoami),
    /// Print the address of a partner's or customer's page, and open it in a browser.
    Open(Open),
    /// Name deployments, so that commands need neither --url nor --key-file.
    Profile(Profile),
    /// Print a completion script for a shell.
    Completions(Completions),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, String> {
        Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_command_with_the_same_defaults() {
        assert!(parse("multipartner").unwrap().command.is_none());
        let Some(Command::Serve(parsed)) = parse("multipartner serve").unwrap().command else { panic!("not serve") };
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Serve::default()));
    }

    #[test]
    fn a_mistyped_command_or_option_gets_a_suggestion() {
        let error = parse("multipartner sevre").unwrap_err();
        assert!(error.contains("'serve'"), "{error}");
        let error = parse("multipartner serve --prot 1").unwrap_err();
        assert!(error.contains("'--port'"), "{error}");
    }

    #[test]
    fn secrets_are_not_arguments() {
        for line in ["multipartner serve --operator-key mpk_x", "multipartner listen --secret whsec_x"] {
            let error = parse(line).unwrap_err();
            assert!(error.contains("unexpected argument") && error.contains("-file'"), "{error}");
        }
    }

    #[test]
    fn log_levels_apply_to_every_command() {
        assert!(parse("multipartner serve --log warn,platform=debug").is_ok());
        assert!(parse("multipartner --log info dynamodb --host 0.0.0.0").is_ok());
        let error = parse("multipartner --log loud").unwrap_err();
        assert!(error.contains("`loud` is not a log level"), "{error}");
    }
}
