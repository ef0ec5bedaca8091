//! `key`: issues and revokes access keys, as an operator.

use clap::Subcommand;
use domain::{CallerKind, KeyId, Role};
use platform::handler::views::{KeyIssuedView, KeyResponse, KeyRevokedView, KeyView};
use serde::Serialize;

use super::Done;
use super::args::{self, Common, Idempotency, Paging, Yes};
use super::confirm::confirm;
use super::session::{SecretFile, body, route};

#[derive(Debug, clap::Args)]
pub struct Key {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Issue an access key, and print it. (Operator)
    Issue(Issue),
    /// List access keys. (Operator)
    List(List),
    /// Show an access key, without the key itself. (Operator)
    Show(One),
    /// Revoke an access key. (Operator)
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct Issue {
    #[command(flatten)]
    principal: Principal,
    #[command(flatten)]
    body: KeyRequest,
    #[command(flatten)]
    repeat: Idempotency,
    #[command(flatten)]
    file: SecretFile,
}

#[derive(Debug, Serialize, clap::Args)]
struct Principal {
    /// Kind of the owner.
    #[arg(long, value_parser = args::caller_kind())]
    kind: CallerKind,
    /// Owner: the id of a partner or the tenant id of a customer; none for an operator.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

#[derive(Debug, Serialize, clap::Args)]
struct KeyRequest {
    /// Roles, separated by commas: for a partner 1 to 6, for a customer global_admin, for an operator none.
    #[arg(long, value_parser = args::role(), value_delimiter = ',')]
    roles: Vec<Role>,
    /// Name by which you recognize the key.
    #[arg(long)]
    name: String,
    /// Time from which the key is rejected, for example 2027-06-30T00:00:00Z; default: never.
    #[arg(long)]
    expires_at: Option<String>,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only the keys of this partner or customer, by its id, or of operators: `operator`.
    #[arg(long)]
    principal: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, clap::Args)]
struct One {
    #[arg(value_parser = args::key_id)]
    key_id: KeyId,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    #[arg(value_parser = args::key_id)]
    key_id: KeyId,
    #[command(flatten)]
    yes: Yes,
}

pub async fn run(Key { common, command }: Key) -> Done {
    let session = common.session()?;
    match command {
        Command::Issue(Issue { principal, body: arguments, repeat, file }) => {
            let mut request = body(&arguments)?;
            request["principal"] = body(&principal)?;
            let call = route("POST /v1/keys", &[]).json(&request);
            session.show_secret::<KeyIssuedView>(call, &repeat, "key", &file).await
        }
        Command::List(List { principal, paging }) => {
            session.list::<KeyView>(route("GET /v1/keys", &[]), [("principal", principal)], &paging).await
        }
        Command::Show(One { key_id }) => {
            session.show::<KeyResponse>(route("GET /v1/keys/{key_id}", &[key_id.as_str()])).await
        }
        Command::Revoke(Revoke { key_id, yes }) => {
            let id = key_id.as_str();
            confirm(yes, &format!("revoke the key {id}"), id)?;
            session.show::<KeyRevokedView>(route("DELETE /v1/keys/{key_id}", &[id])).await
        }
    }
}
