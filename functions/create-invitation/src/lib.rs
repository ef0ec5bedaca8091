//! A partner invites a customer to a reseller relationship, by key or by signed webhook, and may ask for delegated
//! administration. In an active relationship the same request makes an invitation of kind grant.

mod command;

use domain::{Action, Invitation, InvitationState};
use platform::config::Needs;
use platform::handler::App;
use platform::handler::views::{InvitationLinkView, InvitationView};
use platform::handler::{ActingPartner, Caller, SignedWebhook};
use platform::http_api::{Code, Problem, Request, Response, fields, webhook_data};
use platform::lambda::Function;
use platform::store::{Created, CustomerRequirements};
use serde_json::Value;

use crate::command::{Command, Key};

/// The function.
pub const FUNCTION: Function = Function {
    name: "create-invitation",
    routes: platform::routes! {
        "POST /v1/partners/{partner_id}/invitations" => by_key,
        "POST /v1/webhooks/{partner_id}/invitations" => by_webhook,
    },
    needs: Needs::TABLE_AND_KEYS,
};

async fn by_key(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = Caller::by_key(app, request).await?;
    let acting = caller.acting_partner(app, request, Action::CreateInvitation).await?;
    let key = request.idempotency_key()?;
    let key = key.ok_or_else(|| Problem::new(Code::IdempotencyKeyMissing, "Send an `idempotency-key` of your own."))?;
    create(app, request, &acting, &Key { channel: "key", text: key }, fields::document(&request.body()?)?).await
}

async fn by_webhook(app: &App, request: &Request) -> Result<Response, Problem> {
    let webhook = SignedWebhook::verify(app, request, Action::CreateInvitation).await?;
    let data = webhook_data(&webhook.body, "invitation.create")?;
    create(app, request, &webhook.acting, &Key { channel: "webhook", text: webhook.webhook_id }, data).await
}

async fn create(
    app: &App,
    request: &Request,
    acting: &ActingPartner,
    key: &Key,
    body: Value,
) -> Result<Response, Problem> {
    let policy = app.policy_for(request);
    let rules = app.cloud_rules(request, acting.partner.cloud)?;
    let command = Command::read(body, policy, rules, &acting.partner)?;
    let limit = policy.limits.invitations_per_pair_and_day;
    let invitation = command.invitation(app, request, &acting.partner, key)?;
    let event = |invitation: &Invitation| command::event(invitation, app.occurrence(request, &acting.actor));
    let terms = CustomerRequirements::of(policy, &acting.partner);
    match app.store.create_invitation(request.op(), invitation, terms, limit, event).await? {
        Created::New(invitation) => answer(app, request, &invitation, false),
        Created::AlreadyExists(invitation) if invitation.fingerprint == command.fingerprint() => {
            answer(app, request, &invitation, true)
        }
        Created::AlreadyExists(_) => Err(Problem::new(
            Code::IdempotencyKeyReused,
            "This key was used for an invitation with other content. Use a new key for a new invitation.",
        )),
        Created::Tenant(refusal) => Err(refusal.into()),
        Created::RelationshipActive => Err(Problem::new(
            Code::RelationshipActive,
            "The relationship with this customer is active already. To ask for delegated administration, name roles.",
        )),
        Created::Pending(open) => Err(Problem::invitation_pending(&open)),
        Created::LimitReached => Err(Problem::new(
            Code::RateLimited,
            format!("{limit} invitations for this customer were made today (UTC); that is the limit."),
        )
        .retry_after(request.now.seconds_to_midnight())),
    }
}

/// `{invitation, accept_url}`; the link is shown while the invitation is pending.
fn answer(app: &App, request: &Request, invitation: &Invitation, replayed: bool) -> Result<Response, Problem> {
    let pending = invitation.state(request.now) == InvitationState::Pending;
    let accept_url = pending.then(|| app.accept_url(request, invitation)).transpose()?;
    let body = InvitationLinkView { invitation: InvitationView::new(invitation, request.now), accept_url };
    let location = format!("/v1/partners/{}/invitations/{}", invitation.partner_id, invitation.invitation_id);
    Ok(Response::json(201, &body)?.with_header("location", location).replayed(replayed))
}
