//! `invitation`: lists and manages invitations.

use clap::Subcommand;
use domain::{InvitationId, InvitationState};
use platform::handler::views::{InvitationLinkView, InvitationResponse, InvitationView, PreviewView};
use serde::Serialize;

use super::args::{self, Common, OfPartner, Owner, Paging, Party, Yes};
use super::confirm::confirm;
use super::invite::DelegatedAdmin;
use super::session::{SecretFile, route};
use super::{Clear, Done, Failure};

#[derive(Debug, clap::Args)]
pub struct Invitation {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List invitations. (Partner, customer; operator with an owner)
    List(List),
    /// Show an invitation. (Partner, customer; operator with an owner)
    Show(Show),
    /// Renew an invitation: print a new link. The old link stops working. (Partner)
    Renew(Renew),
    /// Cancel a pending invitation. (Partner; operator with --partner-id)
    Cancel(Cancel),
    /// Erase the personal data of an answered or expired invitation. (Operator)
    Erase(Erase),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    owner: Owner,
    /// Only invitations in this state now.
    #[arg(long, value_parser = args::invitation_state())]
    state: Option<InvitationState>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, clap::Args)]
struct Show {
    #[arg(value_parser = args::invitation_id)]
    invitation_id: InvitationId,
    #[command(flatten)]
    owner: Owner,
}

#[derive(Debug, clap::Args)]
struct Renew {
    #[arg(value_parser = args::invitation_id)]
    invitation_id: InvitationId,
    #[command(flatten)]
    partner: OfPartner,
    #[command(flatten)]
    body: RenewalRequest,
    #[command(flatten)]
    admin: DelegatedAdmin,
    /// Remove the message.
    #[arg(long, conflicts_with = "message")]
    no_message: bool,
    /// Ask for no delegated administration any more.
    #[arg(long, conflicts_with = "roles")]
    no_delegated_admin: bool,
    #[command(flatten)]
    file: SecretFile,
    #[command(flatten)]
    yes: Yes,
}

#[derive(Debug, Serialize, clap::Args)]
struct RenewalRequest {
    /// Days from now for which the invitation is open; default: the policy's, and never fewer than before.
    #[arg(long)]
    expires_in_days: Option<u32>,
    /// New message to the customer.
    #[arg(long)]
    message: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Cancel {
    #[arg(value_parser = args::invitation_id)]
    invitation_id: InvitationId,
    #[command(flatten)]
    partner: OfPartner,
    #[command(flatten)]
    yes: Yes,
}

#[derive(Debug, clap::Args)]
struct Erase {
    #[arg(value_parser = args::invitation_id)]
    invitation_id: InvitationId,
    #[command(flatten)]
    yes: Yes,
}

pub async fn run(Invitation { common, command }: Invitation) -> Done {
    let session = common.session()?;
    match command {
        Command::List(List { owner, state, paging }) => {
            let call = owner.resolve(&session).await?.route(
                "GET /v1/partners/{partner_id}/invitations",
                "GET /v1/customers/{tenant_id}/invitations",
                &[],
            )?;
            let state = ("state", state.map(|state| state.to_string()));
            session.list::<InvitationView>(call, [state], &paging).await
        }
        Command::Show(Show { invitation_id, owner }) => {
            let owner = owner.resolve(&session).await?;
            let call = owner.route(
                "GET /v1/partners/{partner_id}/invitations/{invitation_id}",
                "GET /v1/customers/{tenant_id}/invitations/{invitation_id}",
                &[invitation_id.as_str()],
            )?;
            match owner {
                Party::Customer(_) => session.show::<PreviewView>(call).await,
                _ => session.show::<InvitationResponse>(call).await,
            }
        }
        Command::Renew(renewal) => {
            let id = renewal.invitation_id.as_str();
            confirm(renewal.yes, &format!("end the present link of {id}"), id)?;
            let partner = renewal.partner.resolve(&session).await?;
            let remedy = format!("The old link may have ended. Get a new one with: invitation renew {id}");
            let ids = [partner.as_str(), id];
            let call = route("POST /v1/partners/{partner_id}/invitations/{invitation_id}/renew", &ids);
            let call = call.json(&renewed(&renewal)?);
            session.show_secret_once::<InvitationLinkView>(call, &remedy, "accept_url", &renewal.file).await
        }
        Command::Cancel(Cancel { invitation_id, partner, yes }) => {
            let id = invitation_id.as_str();
            confirm(yes, &format!("cancel the invitation {id}"), id)?;
            let partner = partner.resolve(&session).await?;
            let call =
                route("POST /v1/partners/{partner_id}/invitations/{invitation_id}/cancel", &[partner.as_str(), id]);
            session.show::<InvitationResponse>(call).await
        }
        Command::Erase(Erase { invitation_id, yes }) => {
            let id = invitation_id.as_str();
            confirm(yes, &format!("erase the personal data of {id}"), id)?;
            session.show::<InvitationResponse>(route("POST /v1/invitations/{invitation_id}/erase", &[id])).await
        }
    }
}

/// A renewal may change nothing but the expiry and the link.
fn renewed(renewal: &Renew) -> Result<serde_json::Value, Failure> {
    let cleared = [("message", renewal.no_message), ("delegated_admin", renewal.no_delegated_admin)];
    let mut body = Clear::members(&renewal.body, &cleared)?;
    if let Some(admin) = renewal.admin.requested()? {
        body.insert("delegated_admin".to_owned(), admin);
    }
    Ok(body.into())
}
