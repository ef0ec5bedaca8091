//! A partner invites a customer to a reseller relationship, by key or by signed webhook, and may ask for delegated
//! administration. In an active relationship the same request makes an invitation of kind grant.

mod command;

use std::sync::Arc;

use serde_json::{Value, json};
use shared::app::App;
use shared::auth::{ActingPartner, Caller, SignedWebhook};
use shared::domain::{Action, Invitation, InvitationState};
use shared::http::{Code, Problem, Request, Response, fields, idempotency_key, webhook_data};
use shared::lambda::Function;
use shared::store::{Created, Terms};

use crate::command::{Command, Key};

const BY_KEY: &str = "POST /v1/partners/{partner_id}/invitations";
const BY_WEBHOOK: &str = "POST /v1/webhooks/{partner_id}/invitations";

/// The function.
pub const FUNCTION: Function = Function {
    name: "create-invitation",
    routes: &[BY_KEY, BY_WEBHOOK],
    needs_master_key: true,
    uses_table: true,
    handler: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: Arc<App>, request: Request) -> Result<Response, Problem> {
    let (acting, key, body) = match request.route_key() {
        BY_KEY => by_key(&app, &request).await?,
        BY_WEBHOOK => by_webhook(&app, &request).await?,
        _ => return Err(Problem::not_found()),
    };
    let policy = app.policy_for(&request);
    let command = Command::read(body, policy, &acting.partner)?;
    let limit = policy.limits.invitations_per_pair_and_day;
    let invitation = command.invitation(&app, &request, &acting.partner, &key)?;
    let event = |invitation: &Invitation| command::event(invitation, &acting.actor);
    let terms = Terms::of(policy, &acting.partner);
    match app.store.create_invitation(request.attempt(), invitation, terms, limit, event).await? {
        Created::New(invitation) => answer(&app, &request, &invitation, false),
        Created::Before(invitation) if invitation.fingerprint == command.fingerprint() => {
            answer(&app, &request, &invitation, true)
        }
        Created::Before(_) => Err(Problem::new(
            Code::IdempotencyKeyReused,
            "This key was used for an invitation with other content. Use a new key for a new invitation.",
        )),
        Created::Tenant(refusal) => Err(refusal.into()),
        Created::RelationshipActive => Err(Problem::new(
            Code::RelationshipActive,
            "The relationship with this customer is active already. To ask for delegated administration, name roles.",
        )),
        Created::Pending(open) => {
            Err(Problem::new(Code::InvitationPending, "An invitation for this customer is open already.")
                .about("invitation_id", open.as_str()))
        }
        Created::LimitReached => Err(Problem::new(
            Code::RateLimited,
            format!("{limit} invitations for this customer were made today (UTC); that is the limit."),
        )
        .retry_after(request.now.seconds_to_midnight())),
    }
}

async fn by_key(app: &App, request: &Request) -> Result<(ActingPartner, Key, Value), Problem> {
    let caller = Caller::by_key(app, request).await?;
    let acting = caller.acting_partner(app, request, Action::CreateInvitation).await?;
    let key = idempotency_key(request)?;
    let key = key.ok_or_else(|| Problem::new(Code::IdempotencyKeyMissing, "Send an `idempotency-key` of your own."))?;
    Ok((acting, Key { channel: "key", text: key }, fields::document(&request.body()?)?))
}

async fn by_webhook(app: &App, request: &Request) -> Result<(ActingPartner, Key, Value), Problem> {
    let webhook = SignedWebhook::verify(app, request, Action::CreateInvitation).await?;
    let data = webhook_data(&webhook.body, "invitation.create")?;
    Ok((webhook.acting, Key { channel: "webhook", text: webhook.webhook_id }, data))
}

/// `{invitation, accept_url}`; the link is shown while the invitation is pending.
fn answer(app: &App, request: &Request, invitation: &Invitation, replayed: bool) -> Result<Response, Problem> {
    let accept_url = match invitation.state(request.now) {
        InvitationState::Pending => Some(app.accept_url(
            request,
            &invitation.invitation_id,
            invitation.key_number,
            invitation.token_generation,
        )?),
        _ => None,
    };
    let body = json!({"invitation": invitation.view(request.now), "accept_url": accept_url});
    Ok(Response::json(201, &body)?.replayed(replayed))
}
