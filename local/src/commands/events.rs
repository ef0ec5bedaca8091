//! `events`: lists events, or follows them.

use clap::Subcommand;
use platform::handler::views::EventView;

use super::Done;
use super::args::{Owner, Paging, Party};
use super::connection::Connection;
use super::session::{Session, route};
use super::tail::{self, Tail};

#[derive(Debug, clap::Args)]
pub struct Events {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List events, newest first: those of an owner, or all with an operator's key.
    List(List),
    /// Print the events of the key's owner as lines of JSON, oldest first, and wait for more. The feed is 12 s behind and skips
    /// nothing. After a restart of the server or a network change it goes on where it was. When it ends it prints the cursor
    /// for --from.
    Tail(Tail),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Print the API's document as it is, instead of a table; one document for each page.
    // Not for `events tail`, which always prints JSON.
    #[arg(long)]
    json: bool,
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

pub async fn run(Events { connection, command }: Events) -> Done {
    match command {
        Command::List(args) => list(&connection, args).await,
        Command::Tail(args) => tail::run(args, &connection).await,
    }
}

async fn list(connection: &Connection, list: List) -> Done {
    let session = Session::new(connection.client()?, list.json);
    let List { owner, subject, after, paging, .. } = list;
    let call = match owner.resolve(&session).await? {
        Party::Operator => route("GET /v1/events", &[]),
        party => party.route("GET /v1/partners/{partner_id}/events", "GET /v1/customers/{tenant_id}/events", &[])?,
    };
    session.list::<EventView>(call, [("subject", subject), ("after", after)], &paging).await
}
