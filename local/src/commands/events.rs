//! `events`: lists events.

use clap::Subcommand;
use platform::handler::views::EventView;

use super::Done;
use super::args::{Common, Owner, Paging, Party};
use super::session::route;

#[derive(Debug, clap::Args)]
pub struct Events {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List events, newest first: those of an owner, or all with an operator's key.
    List(List),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    owner: Owner,
    /// Only events whose subject has this id.
    #[arg(long)]
    subject: Option<String>,
    /// Oldest first: events after this cursor, or from the start if it is empty.
    #[arg(long, conflicts_with = "cursor", conflicts_with = "all")]
    after: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

pub async fn run(Events { common, command: Command::List(list) }: Events) -> Done {
    let session = common.session()?;
    let List { owner, subject, after, paging } = list;
    let call = match owner.resolve(&session).await? {
        Party::Operator => route("GET /v1/events", &[]),
        party => party.route("GET /v1/partners/{partner_id}/events", "GET /v1/customers/{tenant_id}/events", &[])?,
    };
    session.list::<EventView>(call, [("subject", subject), ("after", after)], &paging).await
}
