//! `partner`: enrolls and manages partners, as an operator.

use clap::Subcommand;
use domain::{Cloud, PartnerId, TenantId};
use platform::handler::views::{PartnerEnrolledView, PartnerResponse, PartnerView, SigningSecretView};
use serde::Serialize;
use serde_json::json;

use super::args::{self, Common, Idempotency, Paging, Yes};
use super::confirm::confirm;
use super::session::{SecretFile, body, route};
use super::{Clear, Done};

#[derive(Debug, clap::Args)]
pub struct Partner {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Enroll a tenant as a partner, and print the secret with which it signs webhooks. (Operator)
    Enroll(Enroll),
    /// List all partners. (Operator)
    List(Paging),
    /// Show a partner. (Operator, partner)
    Show(One),
    /// Correct a partner's details. (Operator)
    Correct(Correct),
    /// Suspend a partner: its calls and its signed webhooks are rejected until it is resumed. (Operator)
    Suspend(One),
    /// Resume a suspended partner. (Operator)
    Resume(One),
    /// Replace the secret with which the partner signs webhooks, and print the new one. (Operator)
    RotateSecret(RotateSecret),
}

#[derive(Debug, clap::Args)]
struct Enroll {
    #[command(flatten)]
    body: PartnerRequest,
    #[command(flatten)]
    file: SecretFile,
}

#[derive(Debug, Serialize, clap::Args)]
struct PartnerRequest {
    /// Tenant of the partner.
    #[arg(long, value_parser = args::tenant_id)]
    tenant_id: TenantId,
    /// Name that customers see.
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
    #[arg(value_parser = args::partner_id)]
    partner_id: PartnerId,
}

#[derive(Debug, clap::Args)]
struct Correct {
    #[arg(value_parser = args::partner_id)]
    partner_id: PartnerId,
    #[command(flatten)]
    body: PartnerCorrection,
    /// Remove the domain.
    #[arg(long, conflicts_with = "domain")]
    no_domain: bool,
}

#[derive(Debug, Serialize, clap::Args)]
struct PartnerCorrection {
    /// Name that customers see.
    #[arg(long)]
    name: Option<String>,
    /// DNS domain; you assert that you have checked it.
    #[arg(long)]
    domain: Option<String>,
    /// Market, an ISO 3166-1 alpha-2 code, for example US.
    #[arg(long)]
    market: Option<String>,
}

#[derive(Debug, clap::Args)]
struct RotateSecret {
    #[arg(value_parser = args::partner_id)]
    partner_id: PartnerId,
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

pub async fn run(Partner { common, command }: Partner) -> Done {
    let session = common.session()?;
    match command {
        Command::Enroll(Enroll { body: arguments, file }) => {
            let id = PartnerId::from_tenant(&arguments.tenant_id);
            let remedy = format!(
                "If the partner is enrolled (partner show {id}), get a secret with: partner rotate-secret {id} --grace-hours 0"
            );
            let call = route("POST /v1/partners", &[]).json(&body(&arguments)?);
            session.show_secret_once::<PartnerEnrolledView>(call, &remedy, "signing_secret", &file).await
        }
        Command::List(paging) => session.list::<PartnerView>(route("GET /v1/partners", &[]), [], &paging).await,
        Command::Show(One { partner_id }) => {
            session.show::<PartnerResponse>(route("GET /v1/partners/{partner_id}", &[partner_id.as_str()])).await
        }
        Command::Correct(Correct { partner_id, body: arguments, no_domain }) => {
            let change = Clear::of(&arguments, &[("domain", no_domain)])?;
            let call = route("PATCH /v1/partners/{partner_id}", &[partner_id.as_str()]).json(&change);
            session.show::<PartnerResponse>(call).await
        }
        Command::Suspend(One { partner_id }) => {
            let call = route("POST /v1/partners/{partner_id}/suspend", &[partner_id.as_str()]);
            session.show::<PartnerResponse>(call).await
        }
        Command::Resume(One { partner_id }) => {
            let call = route("POST /v1/partners/{partner_id}/resume", &[partner_id.as_str()]);
            session.show::<PartnerResponse>(call).await
        }
        Command::RotateSecret(RotateSecret { partner_id, grace_hours, repeat, file, yes }) => {
            let id = partner_id.as_str();
            if grace_hours == 0 {
                confirm(yes, &format!("end the present signing secrets of {id} now"), id)?;
            }
            let call = route("POST /v1/partners/{partner_id}/signing-secret/rotate", &[id]);
            let call = call.json(&json!({"grace_hours": grace_hours}));
            session.show_secret::<SigningSecretView>(call, &repeat, "signing_secret", &file).await
        }
    }
}
