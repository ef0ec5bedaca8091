//! `endpoint`: manages webhook endpoints.

use clap::Subcommand;
use domain::{EndpointId, EndpointState, WebhookId};
use platform::handler::views::{
    DeliveryQueuedView, DeliveryView, EndpointCreatedView, EndpointResponse, EndpointView, ResentView,
    SigningSecretView,
};
use serde::Serialize;
use serde_json::json;

use super::args::{self, Common, Idempotency, Owner, Paging, Yes};
use super::confirm::confirm;
use super::session::{SecretFile, Session, body};
use super::{Clear, Done};

#[derive(Debug, clap::Args)]
pub struct Endpoint {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create an endpoint, and print the secret with which its messages are signed. (Partner, customer)
    Create(Create),
    /// List endpoints. (Partner, customer; operator with an owner)
    List(List),
    /// Show an endpoint. (Partner, customer; operator with an owner)
    Show(One),
    /// Change an endpoint. A new URL must answer a challenge first. (Partner, customer)
    Change(Change),
    /// Send a test message now; to a pending endpoint, its challenge. (Partner, customer)
    Test(One),
    /// Disable an endpoint. Messages that it would get meanwhile are not sent. (Partner, customer; operator with an owner)
    Disable(Ending),
    /// Delete an endpoint. (Partner, customer; operator with an owner)
    Delete(Ending),
    /// List what was sent to an endpoint, and the responses. (Partner, customer; operator with an owner)
    Deliveries(Deliveries),
    /// Send one message again, or all that did not arrive since a time. (Partner, customer)
    Resend(Resend),
    /// Replace the secret of an endpoint, and print the new one. (Partner, customer)
    Rotate(Rotate),
}

#[derive(Debug, clap::Args)]
struct Create {
    #[command(flatten)]
    owner: Owner,
    #[command(flatten)]
    body: EndpointRequest,
    #[command(flatten)]
    repeat: Idempotency,
    #[command(flatten)]
    file: SecretFile,
}

#[derive(Debug, Serialize, clap::Args)]
struct EndpointRequest {
    /// URL of your receiver.
    // Not `--url`, which is the address of the deployment.
    #[arg(long = "endpoint-url", value_name = "URL")]
    #[serde(rename = "url")]
    endpoint_url: String,
    /// Types of events to send, separated by commas; default: all.
    #[arg(long, value_delimiter = ',')]
    event_types: Option<Vec<String>>,
    /// Description for people.
    #[arg(long)]
    description: Option<String>,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    owner: Owner,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, clap::Args)]
struct One {
    #[arg(value_parser = args::endpoint_id)]
    endpoint_id: EndpointId,
    #[command(flatten)]
    owner: Owner,
}

#[derive(Debug, clap::Args)]
struct Change {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    body: EndpointChange,
    /// Send all types of events.
    #[arg(long, conflicts_with = "event_types")]
    all_event_types: bool,
    /// Remove the description.
    #[arg(long, conflicts_with = "description")]
    no_description: bool,
    #[command(flatten)]
    yes: Yes,
}

#[derive(Debug, Serialize, clap::Args)]
struct EndpointChange {
    /// New URL of your receiver.
    #[arg(long = "endpoint-url", value_name = "URL")]
    #[serde(rename = "url")]
    endpoint_url: Option<String>,
    /// Types of events to send, separated by commas.
    #[arg(long, value_delimiter = ',')]
    event_types: Option<Vec<String>>,
    /// Description for people.
    #[arg(long)]
    description: Option<String>,
    /// `active` to enable a disabled endpoint, or `disabled`.
    #[arg(long, value_parser = args::endpoint_state())]
    state: Option<EndpointState>,
}

#[derive(Debug, clap::Args)]
struct Ending {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    yes: Yes,
}

#[derive(Debug, clap::Args)]
struct Deliveries {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, clap::Args)]
struct Resend {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    body: ResendRequest,
}

#[derive(Debug, Serialize, clap::Args)]
#[group(required = true, multiple = false)]
struct ResendRequest {
    /// Message to send again.
    #[arg(long, value_parser = args::webhook_id)]
    event_id: Option<WebhookId>,
    /// Time from which on messages that did not arrive are sent again, for example 2026-11-22T00:00:00Z.
    #[arg(long)]
    since: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Rotate {
    #[command(flatten)]
    one: One,
    /// Hours for which the old secret stays valid, 0 to 24. With 0 it ends at once.
    #[arg(long)]
    grace_hours: u32,
    #[command(flatten)]
    repeat: Idempotency,
    #[command(flatten)]
    file: SecretFile,
    #[command(flatten)]
    yes: Yes,
}

pub async fn run(Endpoint { common, command }: Endpoint) -> Done {
    let session = common.session()?;
    match command {
        Command::Create(create) => create.run(&session).await,
        Command::List(List { owner, paging }) => {
            let call = owner.resolve(&session).await?.route(
                "GET /v1/partners/{partner_id}/endpoints",
                "GET /v1/customers/{tenant_id}/endpoints",
                &[],
            )?;
            session.list::<EndpointView>(call, [], &paging).await
        }
        Command::Show(One { endpoint_id, owner }) => {
            let call = owner.resolve(&session).await?.route(
                "GET /v1/partners/{partner_id}/endpoints/{endpoint_id}",
                "GET /v1/customers/{tenant_id}/endpoints/{endpoint_id}",
                &[endpoint_id.as_str()],
            )?;
            session.show::<EndpointResponse>(call).await
        }
        Command::Change(change) => {
            let cleared = [("event_types", change.all_event_types), ("description", change.no_description)];
            let members = Clear::of(&change.body, &cleared)?;
            if change.body.state == Some(EndpointState::Disabled) {
                let id = change.one.endpoint_id.as_str();
                confirm(change.yes, &format!("disable the endpoint {id}"), id)?;
            }
            patch(&session, &change.one, &members).await
        }
        Command::Test(One { endpoint_id, owner }) => {
            let call = owner.resolve(&session).await?.route(
                "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/test",
                "POST /v1/customers/{tenant_id}/endpoints/{endpoint_id}/test",
                &[endpoint_id.as_str()],
            )?;
            session.show::<DeliveryQueuedView>(call).await
        }
        Command::Disable(Ending { one, yes }) => {
            let id = one.endpoint_id.as_str();
            confirm(yes, &format!("disable {id}; messages are lost until it is enabled"), id)?;
            patch(&session, &one, &json!({"state": "disabled"})).await
        }
        Command::Delete(Ending { one: One { endpoint_id, owner }, yes }) => {
            let id = endpoint_id.as_str();
            confirm(yes, &format!("delete the endpoint {id}"), id)?;
            let call = owner.resolve(&session).await?.route(
                "DELETE /v1/partners/{partner_id}/endpoints/{endpoint_id}",
                "DELETE /v1/customers/{tenant_id}/endpoints/{endpoint_id}",
                &[id],
            )?;
            session.show::<EndpointResponse>(call).await
        }
        Command::Deliveries(Deliveries { one: One { endpoint_id, owner }, paging }) => {
            let call = owner.resolve(&session).await?.route(
                "GET /v1/partners/{partner_id}/endpoints/{endpoint_id}/deliveries",
                "GET /v1/customers/{tenant_id}/endpoints/{endpoint_id}/deliveries",
                &[endpoint_id.as_str()],
            )?;
            session.list::<DeliveryView>(call, [], &paging).await
        }
        Command::Resend(Resend { one: One { endpoint_id, owner }, body: arguments }) => {
            let call = owner.resolve(&session).await?.route(
                "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/resend",
                "POST /v1/customers/{tenant_id}/endpoints/{endpoint_id}/resend",
                &[endpoint_id.as_str()],
            )?;
            session.show::<ResentView>(call.json(&body(&arguments)?)).await
        }
        Command::Rotate(rotate) => rotate.run(&session).await,
    }
}

impl Create {
    async fn run(self, session: &Session) -> Done {
        let call = self.owner.resolve(session).await?.route(
            "POST /v1/partners/{partner_id}/endpoints",
            "POST /v1/customers/{tenant_id}/endpoints",
            &[],
        )?;
        let call = call.json(&body(&self.body)?);
        session.show_secret::<EndpointCreatedView>(call, &self.repeat, "signing_secret", &self.file).await
    }
}

impl Rotate {
    async fn run(self, session: &Session) -> Done {
        let id = self.one.endpoint_id.as_str();
        if self.grace_hours == 0 {
            confirm(self.yes, &format!("end the present secrets of {id} now"), id)?;
        }
        let call = self.one.owner.resolve(session).await?.route(
            "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/rotate",
            "POST /v1/customers/{tenant_id}/endpoints/{endpoint_id}/rotate",
            &[id],
        )?;
        let call = call.json(&json!({"grace_hours": self.grace_hours}));
        session.show_secret::<SigningSecretView>(call, &self.repeat, "signing_secret", &self.file).await
    }
}

async fn patch(session: &Session, one: &One, members: &serde_json::Value) -> Done {
    let call = one.owner.resolve(session).await?.route(
        "PATCH /v1/partners/{partner_id}/endpoints/{endpoint_id}",
        "PATCH /v1/customers/{tenant_id}/endpoints/{endpoint_id}",
        &[one.endpoint_id.as_str()],
    )?;
    session.show::<EndpointResponse>(call.json(members)).await
}
