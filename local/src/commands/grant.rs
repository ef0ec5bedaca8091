//! `grant`: lists, narrows and ends grants of delegated administration.

use clap::Subcommand;
use domain::{GrantId, GrantState};
use platform::handler::views::{GrantResponse, GrantView};
use serde::Serialize;
use serde_json::json;

use super::args::{self, Common, Owner, Paging, Yes};
use super::confirm::confirm;
use super::{Clear, Done};
use crate::exit::UsageError;

#[derive(Debug, clap::Args)]
pub struct Grant {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List grants, soonest end first. (Partner, customer; operator with an owner)
    List(List),
    /// Show a grant. (Partner, customer; operator with an owner)
    Show(One),
    /// Narrow a grant: fewer roles, an earlier end, no extension. A grant is never widened. (Either side)
    Narrow(Narrow),
    /// End a grant. (Either side)
    End(End),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    owner: Owner,
    /// Only grants in this state now.
    #[arg(long, value_parser = args::grant_state())]
    state: Option<GrantState>,
    /// Only grants that end before this time, for example 2027-06-30T00:00:00Z.
    #[arg(long)]
    ends_before: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, clap::Args)]
struct One {
    #[arg(value_parser = args::grant_id)]
    grant_id: GrantId,
    #[command(flatten)]
    owner: Owner,
}

#[derive(Debug, clap::Args)]
struct Narrow {
    #[arg(value_parser = args::grant_id)]
    grant_id: GrantId,
    #[command(flatten)]
    owner: Owner,
    #[command(flatten)]
    body: NarrowingRequest,
    /// Turn the automatic extension off.
    #[arg(long)]
    no_auto_extend: bool,
    #[command(flatten)]
    yes: Yes,
}

#[derive(Debug, Serialize, clap::Args)]
struct NarrowingRequest {
    /// Roles that remain, separated by commas.
    #[arg(long, value_delimiter = ',')]
    roles: Option<Vec<String>>,
    /// New end, earlier than now, for example 2027-06-30T00:00:00Z.
    #[arg(long)]
    ends_at: Option<String>,
}

#[derive(Debug, clap::Args)]
struct End {
    #[arg(value_parser = args::grant_id)]
    grant_id: GrantId,
    #[command(flatten)]
    owner: Owner,
    #[command(flatten)]
    yes: Yes,
}

pub async fn run(Grant { common, command }: Grant) -> Done {
    let session = common.session()?;
    match command {
        Command::List(List { owner, state, ends_before, paging }) => {
            let call = owner.resolve(&session).await?.route(
                "GET /v1/partners/{partner_id}/grants",
                "GET /v1/customers/{tenant_id}/grants",
                &[],
            )?;
            let filters = [("state", state.map(|state| state.to_string())), ("ends_before", ends_before)];
            session.list::<GrantView>(call, filters, &paging).await
        }
        Command::Show(One { grant_id, owner }) => {
            let call = owner.resolve(&session).await?.route(
                "GET /v1/partners/{partner_id}/grants/{grant_id}",
                "GET /v1/customers/{tenant_id}/grants/{grant_id}",
                &[grant_id.as_str()],
            )?;
            session.show::<GrantResponse>(call).await
        }
        Command::Narrow(Narrow { grant_id, owner, body, no_auto_extend, yes }) => {
            let mut change = Clear::members(&body, &[])?;
            if no_auto_extend {
                change.insert("auto_extend".to_owned(), json!(false));
            }
            if change.is_empty() {
                return Err(UsageError("name what to narrow: --roles, --ends-at or --no-auto-extend".to_owned()).into());
            }
            let id = grant_id.as_str();
            confirm(yes, &format!("narrow the grant {id}"), id)?;
            let call = owner.resolve(&session).await?.route(
                "PATCH /v1/partners/{partner_id}/grants/{grant_id}",
                "PATCH /v1/customers/{tenant_id}/grants/{grant_id}",
                &[id],
            )?;
            session.show::<GrantResponse>(call.json(&change.into())).await
        }
        Command::End(End { grant_id, owner, yes }) => {
            let id = grant_id.as_str();
            confirm(yes, &format!("end the grant {id}"), id)?;
            let call = owner.resolve(&session).await?.route(
                "DELETE /v1/partners/{partner_id}/grants/{grant_id}",
                "DELETE /v1/customers/{tenant_id}/grants/{grant_id}",
                &[id],
            )?;
            session.show::<GrantResponse>(call).await
        }
    }
}
