//! `customer`: registers and corrects customers, as an operator.

use clap::Subcommand;
use domain::{Cloud, TenantId};
use platform::handler::views::{CustomerResponse, CustomerView};
use serde::Serialize;

use super::args::{self, Common, Paging, Yes};
use super::confirm::confirm;
use super::session::{body, route};
use super::{Clear, Done};

#[derive(Debug, clap::Args)]
pub struct Customer {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Register a tenant as a customer. (Operator)
    Register(CustomerRequest),
    /// List all customers. (Operator)
    List(Paging),
    /// Show a customer. (Operator, customer)
    Show(One),
    /// Correct a customer's details. (Operator)
    Correct(Correct),
    /// End all sessions of the customer's administrators. (Operator)
    EndSessions(EndSessions),
}

#[derive(Debug, Serialize, clap::Args)]
struct CustomerRequest {
    /// Tenant of the customer.
    #[arg(long, value_parser = args::tenant_id)]
    tenant_id: TenantId,
    #[arg(long)]
    name: String,
    /// DNS domain; you assert that you have checked it.
    #[arg(long)]
    domain: Option<String>,
    #[arg(long, value_parser = args::cloud())]
    cloud: Cloud,
    /// Market, an ISO 3166-1 alpha-2 code, for example US.
    #[arg(long)]
    market: String,
}

#[derive(Debug, clap::Args)]
struct One {
    #[arg(value_parser = args::tenant_id)]
    tenant_id: TenantId,
}

#[derive(Debug, clap::Args)]
struct Correct {
    #[arg(value_parser = args::tenant_id)]
    tenant_id: TenantId,
    #[command(flatten)]
    body: CustomerCorrection,
    /// Remove the domain.
    #[arg(long, conflicts_with = "domain")]
    no_domain: bool,
}

#[derive(Debug, Serialize, clap::Args)]
struct CustomerCorrection {
    #[arg(long)]
    name: Option<String>,
    /// DNS domain; you assert that you have checked it.
    #[arg(long)]
    domain: Option<String>,
    /// Market, an ISO 3166-1 alpha-2 code, for example US; only while the customer is not in use.
    #[arg(long)]
    market: Option<String>,
    /// Cloud; only while the customer is not in use.
    #[arg(long, value_parser = args::cloud())]
    cloud: Option<Cloud>,
}

#[derive(Debug, clap::Args)]
struct EndSessions {
    #[arg(value_parser = args::tenant_id)]
    tenant_id: TenantId,
    #[command(flatten)]
    yes: Yes,
}

pub async fn run(Customer { common, command }: Customer) -> Done {
    let session = common.session()?;
    match command {
        Command::Register(arguments) => {
            session.show::<CustomerResponse>(route("POST /v1/customers", &[]).json(&body(&arguments)?)).await
        }
        Command::List(paging) => session.list::<CustomerView>(route("GET /v1/customers", &[]), [], &paging).await,
        Command::Show(One { tenant_id }) => {
            session.show::<CustomerResponse>(route("GET /v1/customers/{tenant_id}", &[tenant_id.as_str()])).await
        }
        Command::Correct(Correct { tenant_id, body: arguments, no_domain }) => {
            let change = Clear::of(&arguments, &[("domain", no_domain)])?;
            let call = route("PATCH /v1/customers/{tenant_id}", &[tenant_id.as_str()]).json(&change);
            session.show::<CustomerResponse>(call).await
        }
        Command::EndSessions(EndSessions { tenant_id, yes }) => {
            let id = tenant_id.as_str();
            confirm(yes, &format!("sign out all administrators of {id}"), id)?;
            session.show::<CustomerResponse>(route("DELETE /v1/customers/{tenant_id}/sessions", &[id])).await
        }
    }
}
