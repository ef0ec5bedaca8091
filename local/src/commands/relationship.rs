//! `relationship`: lists, imports and ends reseller relationships.

use clap::Subcommand;
use domain::{PartnerId, TenantId};
use local::api::Call;
use platform::handler::views::{
    CustomerRow, CustomerRowResponse, PartnerRow, PartnerRowResponse, RelationshipResponse,
};
use serde::Serialize;

use super::args::{self, Common, Owner, Paging, Party, Yes, caller};
use super::confirm::confirm;
use super::session::{Session, body, route};
use super::{Done, Failure};
use crate::exit::UsageError;

#[derive(Debug, clap::Args)]
pub struct Relationship {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the customers of a partner, or the partners of a customer. (Partner, customer; operator with an owner)
    List(List),
    /// Show a relationship with its grants. (Partner, customer; operator with both)
    Show(Pair),
    /// Record one relationship that existed before this system. You attest it. For many, see `import`. (Operator)
    Import(Import),
    /// End a relationship. Its grants end, and its open invitation is closed. (Either side; operator with both)
    End(End),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    owner: Owner,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, clap::Args)]
struct Pair {
    /// Partner; default: the owner of the key.
    #[arg(long, value_parser = args::partner_id)]
    partner_id: Option<PartnerId>,
    /// Customer; default: the owner of the key.
    #[arg(long, value_parser = args::tenant_id)]
    tenant_id: Option<TenantId>,
}

#[derive(Debug, clap::Args)]
struct Import {
    #[arg(long, value_parser = args::partner_id)]
    partner_id: PartnerId,
    #[arg(long, value_parser = args::tenant_id)]
    tenant_id: TenantId,
    #[command(flatten)]
    body: ImportRequest,
}

#[derive(Debug, Serialize, clap::Args)]
struct ImportRequest {
    /// Time at which the relationship began, for example 2024-01-31T00:00:00Z.
    #[arg(long)]
    since: String,
    /// The partner's own reference.
    #[arg(long)]
    external_reference: Option<String>,
}

#[derive(Debug, clap::Args)]
struct End {
    #[command(flatten)]
    pair: Pair,
    #[command(flatten)]
    yes: Yes,
}

/// A route of the partner's side or of the customer's side.
enum Side {
    Partner(PartnerId, TenantId),
    Customer(TenantId, PartnerId),
}

impl Pair {
    /// The id that the user must name: that of the other side.
    fn other(&self) -> Result<&str, UsageError> {
        let other = self.tenant_id.as_ref().map(|id| id.as_str());
        other.or(self.partner_id.as_ref().map(|id| id.as_str())).ok_or_else(missing)
    }

    /// The owner of the key is one side. An operator is on the partner's side.
    async fn side(&self, session: &Session) -> Result<Side, Failure> {
        let (partner, tenant) = (self.partner_id.clone(), self.tenant_id.clone());
        match (caller(session).await?, partner, tenant) {
            (Party::Customer(own), Some(partner), tenant) => Ok(Side::Customer(tenant.unwrap_or(own), partner)),
            (Party::Partner(own), partner, Some(tenant)) => Ok(Side::Partner(partner.unwrap_or(own), tenant)),
            (Party::Operator, Some(partner), Some(tenant)) => Ok(Side::Partner(partner, tenant)),
            _ => Err(missing().into()),
        }
    }
}

fn missing() -> UsageError {
    let detail = "name the other side: --tenant-id with a partner's key, --partner-id with a customer's, both with an operator's";
    UsageError(detail.to_owned())
}

impl Side {
    fn route(&self, of_partner: &str, of_customer: &str) -> Call {
        match self {
            Self::Partner(partner, tenant) => route(of_partner, &[partner.as_str(), tenant.as_str()]),
            Self::Customer(tenant, partner) => route(of_customer, &[tenant.as_str(), partner.as_str()]),
        }
    }
}

pub async fn run(Relationship { common, command }: Relationship) -> Done {
    let session = common.session()?;
    match command {
        Command::List(List { owner, paging }) => {
            let owner = owner.resolve(&session).await?;
            let call = owner.route(
                "GET /v1/partners/{partner_id}/customers",
                "GET /v1/customers/{tenant_id}/partners",
                &[],
            )?;
            match owner {
                Party::Customer(_) => session.list::<PartnerRow>(call, [], &paging).await,
                _ => session.list::<CustomerRow>(call, [], &paging).await,
            }
        }
        Command::Show(pair) => {
            let side = pair.side(&session).await?;
            let call = side.route(
                "GET /v1/partners/{partner_id}/customers/{tenant_id}",
                "GET /v1/customers/{tenant_id}/partners/{partner_id}",
            );
            match side {
                Side::Partner(..) => session.show::<CustomerRowResponse>(call).await,
                Side::Customer(..) => session.show::<PartnerRowResponse>(call).await,
            }
        }
        Command::Import(Import { partner_id, tenant_id, body: arguments }) => {
            let ids = [partner_id.as_str(), tenant_id.as_str()];
            let call = route("PUT /v1/partners/{partner_id}/customers/{tenant_id}", &ids).json(&body(&arguments)?);
            session.show::<RelationshipResponse>(call).await
        }
        Command::End(End { pair, yes }) => {
            let other = pair.other()?;
            confirm(yes, &format!("end the relationship with {other}, and its grants"), other)?;
            let call = pair.side(&session).await?.route(
                "DELETE /v1/partners/{partner_id}/customers/{tenant_id}",
                "DELETE /v1/customers/{tenant_id}/partners/{partner_id}",
            );
            session.show::<RelationshipResponse>(call).await
        }
    }
}
