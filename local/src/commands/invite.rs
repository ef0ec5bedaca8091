//! `invite`: invites a customer, as a partner.

use domain::TenantId;
use platform::handler::views::InvitationLinkView;
use serde::Serialize;
use serde_json::Value;

use super::Done;
use super::args::{self, Common, Idempotency, OfPartner};
use super::session::{SecretFile, body, route};

/// Invites a customer, and prints the link to send to its administrator.
#[derive(Debug, clap::Args)]
pub struct Invite {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    partner: OfPartner,
    #[command(flatten)]
    body: InvitationRequest,
    #[command(flatten)]
    admin: DelegatedAdmin,
    #[command(flatten)]
    repeat: Idempotency,
    #[command(flatten)]
    file: SecretFile,
}

#[derive(Debug, Serialize, clap::Args)]
struct InvitationRequest {
    /// Customer to invite.
    #[arg(long, value_parser = args::tenant_id)]
    customer_tenant_id: TenantId,
    /// Message to the customer.
    #[arg(long)]
    message: Option<String>,
    /// Contact at the customer, for your own use. No mail is sent.
    #[arg(long)]
    contact_email: Option<String>,
    /// Your own reference. The customer does not see it.
    #[arg(long)]
    external_reference: Option<String>,
    /// Days for which the invitation is open; default: the policy's.
    #[arg(long)]
    expires_in_days: Option<u32>,
}

/// Delegated administration to ask for.
#[derive(Debug, Serialize, clap::Args)]
pub struct DelegatedAdmin {
    /// Directory roles to ask for, separated by commas. `policy` lists them. Without roles, no delegated administration is
    /// asked for.
    #[arg(long, value_delimiter = ',', requires = "duration")]
    roles: Vec<String>,
    /// Duration of the grant, for example P365D.
    #[arg(long, requires = "roles")]
    duration: Option<String>,
    /// Ask for a grant that extends itself at its end.
    #[arg(long, requires = "roles")]
    auto_extend: bool,
}

impl DelegatedAdmin {
    /// `None` if no roles are named.
    pub fn requested(&self) -> Result<Option<Value>, super::Failure> {
        if self.roles.is_empty() { Ok(None) } else { body(self).map(Some) }
    }
}

pub async fn run(Invite { common, partner, body: arguments, admin, repeat, file }: Invite) -> Done {
    let session = common.session()?;
    let partner = partner.resolve(&session).await?;
    let mut request = body(&arguments)?;
    request["delegated_admin"] = admin.requested()?.unwrap_or(Value::Null);
    let call = route("POST /v1/partners/{partner_id}/invitations", &[partner.as_str()]).json(&request);
    session.show_secret::<InvitationLinkView>(call, &repeat, "accept_url", &file).await
}
