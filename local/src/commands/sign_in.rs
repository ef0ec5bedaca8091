//! `sign-in check`: checks how a deployment is set up for sign-in.

use std::error::Error;

use clap::Subcommand;
use domain::{Cloud, TenantId};
use local::sign_in_check::{self, Finding};

use super::connection::Connection;
use crate::output::Output;

#[derive(Debug, clap::Args)]
pub struct SignIn {
    #[command(subcommand)]
    command: SignInCommand,
}

#[derive(Debug, Subcommand)]
enum SignInCommand {
    /// Check a deployment's settings and its identity providers, and print the redirect URIs to register. It does not sign anyone in.
    Check(Check),
}

#[derive(Debug, clap::Args)]
struct Check {
    #[command(flatten)]
    connection: Connection,
    /// Id of a tenant to check with, for example your own. It does not have to be registered.
    #[arg(long, value_name = "TENANT_ID", value_parser = tenant)]
    tenant_id: TenantId,
    /// The tenant's cloud, public or us_gov; without it, every cloud is checked.
    #[arg(long, value_parser = cloud)]
    cloud: Option<Cloud>,
}

/// A check failed.
#[derive(Debug, thiserror::Error)]
#[error("checks failed: {0}; docs/sign-in.md says what to set up")]
struct Failed(usize);

fn tenant(text: &str) -> Result<TenantId, &'static str> {
    TenantId::parse(text).ok_or("a tenant id is a UUID")
}

fn cloud(text: &str) -> Result<Cloud, &'static str> {
    Cloud::parse(text).ok_or("the clouds are public and us_gov")
}

pub async fn run(args: SignIn) -> Result<(), Box<dyn Error>> {
    let SignInCommand::Check(Check { connection, tenant_id, cloud }) = args.command;
    let mut out = Output::stdout();
    let findings = sign_in_check::check(connection.address()?.as_str(), &tenant_id, cloud).await;
    let mut failed = 0;
    for finding in &findings {
        match finding {
            Finding::Cloud(name) => out.heading(name)?,
            Finding::Note(text) => out.line(&format!("    {text}"))?,
            Finding::Check(held, text) => {
                failed += usize::from(!held);
                out.verdict(*held, text)?;
            }
        }
    }
    out.flush()?;
    if failed > 0 { Err(Failed(failed).into()) } else { Ok(()) }
}
