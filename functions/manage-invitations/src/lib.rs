//! The inviting partner cancels or renews its invitation.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::app::App;
use shared::auth::{ActingPartner, Caller};
use shared::domain::{Action, Answer, Decision, EventType, Invitation, InvitationId, InvitationState, Occurrence};
use shared::http::fields::{self, Fields};
use shared::http::{Code, Problem, Request, Response};
use shared::lambda::Function;
use shared::store::{InvitationChange, Renewed, StoreError, Terms};

const CANCEL: &str = "POST /v1/partners/{partner_id}/invitations/{invitation_id}/cancel";
const RENEW: &str = "POST /v1/partners/{partner_id}/invitations/{invitation_id}/renew";

/// The function.
pub const FUNCTION: Function = Function {
    name: "manage-invitations",
    routes: &[CANCEL, RENEW],
    needs_master_key: true,
    uses_table: true,
    handler: |app, request| Box::pin(handle(app, request)),
};

/// Twins of a request may change the invitation between reading and writing it; each time it is read again.
const TRIES: usize = 3;

async fn handle(app: Arc<App>, request: Request) -> Result<Response, Problem> {
    let caller = Caller::by_key(&app, &request).await?;
    let acting = caller.acting_partner(&app, &request, Action::ManageInvitation).await?;
    match request.route_key() {
        CANCEL => {
            optional_body(&request)?.finish(Some(()))?;
            cancel(&app, &request, &acting).await
        }
        RENEW => renew(&app, &request, &acting).await,
        _ => Err(Problem::not_found()),
    }
}

/// The members of a body that may be absent.
fn optional_body(request: &Request) -> Result<Fields, Problem> {
    if request.has_body() {
        Fields::of(fields::document(&request.body()?)?)
    } else {
        Fields::of(Value::Object(serde_json::Map::new()))
    }
}

/// The path's invitation, if it is this partner's.
async fn own(app: &App, request: &Request, acting: &ActingPartner) -> Result<Invitation, Problem> {
    let id = InvitationId::parse(request.path("invitation_id")).ok_or_else(Problem::not_found)?;
    let invitation = app.store.invitation(request.attempt(), &id).await?;
    invitation.filter(|found| found.partner_id == acting.partner.partner_id).ok_or_else(Problem::not_found)
}

async fn cancel(app: &App, request: &Request, acting: &ActingPartner) -> Result<Response, Problem> {
    for _ in 0..TRIES {
        let invitation = own(app, request, acting).await?;
        match invitation.state(request.now) {
            InvitationState::Pending => {}
            InvitationState::Cancelled => return Ok(cancelled(&invitation, request)?.replayed(true)),
            InvitationState::Expired => {
                return Err(Problem::new(
                    Code::InvitationExpired,
                    "The invitation's time is over; there is nothing to cancel.",
                ));
            }
            InvitationState::Accepted | InvitationState::Declined => return Err(answered(&invitation, request)),
        }
        let policy_version = app.policy_for(request).version;
        let occurrence = Occurrence { at: request.now, actor: &acting.actor, policy_version };
        let event = invitation.event(EventType::InvitationCancelled, occurrence, []);
        let answer = Answer { decision: Decision::Cancelled, decided_at: request.now };
        let change = InvitationChange { before: &invitation, answer: &answer, grant: None, event: &event };
        if app.store.close_invitation(request.attempt(), &change).await? {
            let version = invitation.version + 1;
            return cancelled(&Invitation { answer: Some(answer), version, ..invitation }, request);
        }
    }
    Err(contention())
}

fn cancelled(invitation: &Invitation, request: &Request) -> Result<Response, Problem> {
    Response::json(200, &json!({"invitation": invitation.view(request.now)}))
}

async fn renew(app: &App, request: &Request, acting: &ActingPartner) -> Result<Response, Problem> {
    let policy = app.policy_for(request);
    let mut fields = optional_body(request)?;
    let days = fields.optional("expires_in_days", fields::whole(1, policy.limits.invitation_days_max.into()));
    fields.finish(Some(()))?;
    let days = days.and_then(|days| u32::try_from(days).ok()).unwrap_or(policy.limits.invitation_days_default);
    if policy.cloud(acting.partner.cloud).is_none() {
        return Err(Problem::new(Code::CloudNotSupported, "The policy does not serve this cloud."));
    }
    let mut first_generation = None;
    for _ in 0..TRIES {
        let before = own(app, request, acting).await?;
        if !matches!(before.state(request.now), InvitationState::Pending | InvitationState::Expired) {
            return Err(answered(&before, request));
        }
        // A twin of this request has renewed it since this one began: its link is the current one.
        if first_generation.is_some_and(|first| before.token_generation > first) {
            return Ok(renewed(app, request, &before)?.replayed(true));
        }
        first_generation = Some(before.token_generation);
        let after = renewal(app, request, &before, days)?;
        let occurrence = Occurrence { at: request.now, actor: &acting.actor, policy_version: policy.version };
        let event = before.event(EventType::InvitationRenewed, occurrence, [("expires_at", json!(after.expires_at))]);
        let terms = Terms::of(policy, &acting.partner);
        match app.store.renew_invitation(request.attempt(), &before, &after, terms, &event).await? {
            Renewed::Done => return renewed(app, request, &after),
            Renewed::Changed => {}
            Renewed::Tenant(refusal) => return Err(refusal.into()),
            Renewed::RelationshipActive => {
                return Err(Problem::new(
                    Code::RelationshipActive,
                    "The relationship with this customer is active already.",
                ));
            }
            Renewed::NotActive => {
                return Err(Problem::new(
                    Code::InvalidTransition,
                    "The relationship this grant was asked for is not active any more.",
                ));
            }
            Renewed::Pending(open) => {
                return Err(Problem::new(Code::InvitationPending, "Another invitation for this customer is open.")
                    .about("invitation_id", open.as_str()));
            }
        }
    }
    Err(contention())
}

/// The invitation with a new link and a new end.
fn renewal(app: &App, request: &Request, before: &Invitation, days: u32) -> Result<Invitation, Problem> {
    let key_number = app.keys.current().ok_or_else(Problem::internal)?;
    let token_generation = before.token_generation + 1;
    let token = app.keys.link_token(key_number, &before.invitation_id, token_generation).map_err(StoreError::from)?;
    Ok(Invitation {
        key_number,
        token_generation,
        token_hash: token.hash(),
        expires_at: request.now.plus_days(days),
        version: before.version + 1,
        ..before.clone()
    })
}

/// `{invitation, accept_url}`
fn renewed(app: &App, request: &Request, invitation: &Invitation) -> Result<Response, Problem> {
    let id = &invitation.invitation_id;
    let accept_url = app.accept_url(request, id, invitation.key_number, invitation.token_generation)?;
    Response::json(200, &json!({"invitation": invitation.view(request.now), "accept_url": accept_url}))
}

fn answered(invitation: &Invitation, request: &Request) -> Problem {
    Problem::new(Code::InvalidTransition, format!("The invitation is {} already.", invitation.state(request.now)))
}

fn contention() -> Problem {
    Problem::new(Code::Contention, "The invitation kept changing; send the request again.").retry_after(1)
}
