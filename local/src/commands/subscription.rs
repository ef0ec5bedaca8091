//! `subscription`: registers and lists subscriptions.

use clap::Subcommand;
use domain::{BillingCycle, Date, SubscriptionId, TenantId, Term};
use platform::handler::views::{SubscriptionResponse, SubscriptionView};
use serde::Serialize;

use super::Done;
use super::args::{self, Common, OfPartner, Owner, Paging};
use super::session::{body, route};

#[derive(Debug, clap::Args)]
pub struct Subscription {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Register a subscription. It never changes afterwards. For many, see `import`. (Partner)
    Register(Register),
    /// List subscriptions, newest first. (Partner, customer; operator with an owner)
    List(List),
    /// Show a subscription. (Partner; operator with --partner-id)
    Show(One),
}

#[derive(Debug, clap::Args)]
struct Register {
    #[command(flatten)]
    partner: OfPartner,
    #[command(flatten)]
    body: RegistrationRequest,
}

#[derive(Debug, Serialize, clap::Args)]
struct RegistrationRequest {
    /// Id of your own. A repeat with the same id and the same details returns the first record.
    #[arg(long, value_parser = args::subscription_id)]
    subscription_id: SubscriptionId,
    /// Customer, with whom there is an active relationship.
    #[arg(long, value_parser = args::tenant_id)]
    customer_tenant_id: TenantId,
    /// Service, for example azure.
    #[arg(long)]
    service: String,
    /// Offer in your catalog.
    #[arg(long)]
    offer_id: String,
    #[arg(long)]
    quantity: u64,
    #[arg(long, value_parser = args::billing_cycle())]
    billing_cycle: BillingCycle,
    #[arg(long, value_parser = args::term())]
    term: Term,
    #[arg(long)]
    friendly_name: Option<String>,
    /// Your own reference. The customer does not see it.
    #[arg(long)]
    external_reference: Option<String>,
    /// Day on which the subscription started, as you state it, for example 2026-11-22.
    #[arg(long, value_parser = args::date)]
    started_on: Option<Date>,
    /// Partner of record: only your own id is accepted.
    #[arg(long)]
    partner_of_record: Option<String>,
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
    #[arg(value_parser = args::subscription_id)]
    subscription_id: SubscriptionId,
    #[command(flatten)]
    partner: OfPartner,
}

pub async fn run(Subscription { common, command }: Subscription) -> Done {
    let session = common.session()?;
    match command {
        Command::Register(Register { partner, body: arguments }) => {
            let partner = partner.resolve(&session).await?;
            let call = route("POST /v1/partners/{partner_id}/subscriptions", &[partner.as_str()]);
            session.show::<SubscriptionResponse>(call.json(&body(&arguments)?)).await
        }
        Command::List(List { owner, paging }) => {
            let call = owner.resolve(&session).await?.route(
                "GET /v1/partners/{partner_id}/subscriptions",
                "GET /v1/customers/{tenant_id}/subscriptions",
                &[],
            )?;
            session.list::<SubscriptionView>(call, [], &paging).await
        }
        Command::Show(One { subscription_id, partner }) => {
            let partner = partner.resolve(&session).await?;
            let ids = [partner.as_str(), subscription_id.as_str()];
            let call = route("GET /v1/partners/{partner_id}/subscriptions/{subscription_id}", &ids);
            session.show::<SubscriptionResponse>(call).await
        }
    }
}
