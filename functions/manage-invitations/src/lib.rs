//! The inviting partner cancels or renews its invitation.

use domain::{Action, Answer, Decision, EventType, Invitation, InvitationId, InvitationState};
use platform::config::Needs;
use platform::handler::App;
use platform::handler::views::{InvitationLinkView, InvitationResponse, InvitationView};
use platform::handler::{ActingPartner, Caller};
use platform::http_api::fields::{self, Fields};
use platform::http_api::{Code, Problem, Request, Response};
use platform::lambda::Function;
use platform::store::{CustomerRequirements, InvitationChange, Renewed, StoreError, TRIES};
use serde_json::json;

/// The function.
pub const FUNCTION: Function = Function {
    name: "manage-invitations",
    routes: platform::routes! {
        "POST /v1/partners/{partner_id}/invitations/{invitation_id}/cancel" => cancel,
        "POST /v1/partners/{partner_id}/invitations/{invitation_id}/renew" => renew,
    },
    needs: Needs::TABLE_AND_KEYS,
};

/// The partner that acts.
async fn acting(app: &App, request: &Request) -> Result<ActingPartner, Problem> {
    Caller::by_key(app, request).await?.acting_partner(app, request, Action::ManageInvitation).await
}

/// The path's invitation, if it is this partner's.
async fn own(app: &App, request: &Request, acting: &ActingPartner) -> Result<Invitation, Problem> {
    let id = InvitationId::parse(request.path("invitation_id")).ok_or_else(Problem::not_found)?;
    let invitation = app.store.invitation(request.op(), &id).await?;
    invitation.filter(|found| found.partner_id == acting.partner.partner_id).ok_or_else(Problem::not_found)
}

/// Withdraws the invitation → `{invitation}`. A repeat gets the first answer.
async fn cancel(app: &App, request: &Request) -> Result<Response, Problem> {
    let acting = acting(app, request).await?;
    Fields::of_optional_body(request)?.finish(Some(()))?;
    for _ in 0..TRIES {
        let invitation = own(app, request, &acting).await?;
        match invitation.state(request.now) {
            InvitationState::Pending => {}
            InvitationState::Cancelled => return Ok(cancelled(&invitation, request)?.replayed(true)),
            InvitationState::Expired => {
                let detail = "The invitation's time is over; there is nothing to cancel.";
                return Err(Problem::new(Code::InvitationExpired, detail));
            }
            state @ (InvitationState::Accepted | InvitationState::Declined) => {
                return Err(Problem::answered_already(state));
            }
        }
        let event = invitation.event(EventType::InvitationCancelled, app.occurrence(request, &acting.actor), []);
        let answer = Answer { decision: Decision::Cancelled, decided_at: request.now };
        let change = InvitationChange { before: &invitation, answer: &answer, grant: None, event: &event };
        if app.store.close_invitation(request.op(), &change).await? {
            return cancelled(&invitation.answered(answer), request);
        }
    }
    Err(StoreError::Contention.into())
}

fn cancelled(invitation: &Invitation, request: &Request) -> Result<Response, Problem> {
    Response::json(200, &InvitationResponse::new(invitation, request.now))
}

/// Gives the invitation a new link and a new end, `{expires_in_days?}` → `{invitation, accept_url}`.
async fn renew(app: &App, request: &Request) -> Result<Response, Problem> {
    let acting = acting(app, request).await?;
    let policy = app.policy_for(request);
    let mut fields = Fields::of_optional_body(request)?;
    let days = fields.optional("expires_in_days", fields::whole(1, policy.limits.invitation_days_max.into()));
    fields.finish(Some(()))?;
    let days = days.and_then(|days| u32::try_from(days).ok()).unwrap_or(policy.limits.invitation_days_default);
    app.cloud_rules(request, acting.partner.cloud)?;
    let terms = CustomerRequirements::of(policy, &acting.partner);
    let mut first_generation = None;
    for _ in 0..TRIES {
        let before = own(app, request, &acting).await?;
        let state = before.state(request.now);
        if !matches!(state, InvitationState::Pending | InvitationState::Expired) {
            return Err(Problem::answered_already(state));
        }
        // A twin of this request has renewed it since this one began: its link is the current one.
        if first_generation.is_some_and(|first| before.token_generation > first) {
            return Ok(renewed(app, request, &before)?.replayed(true));
        }
        first_generation = Some(before.token_generation);
        let after = renewal(app, request, &before, days)?;
        let data = [("expires_at", json!(after.expires_at))];
        let event = before.event(EventType::InvitationRenewed, app.occurrence(request, &acting.actor), data);
        match app.store.renew_invitation(request.op(), &before, &after, terms, &event).await? {
            Renewed::Done => return renewed(app, request, &after),
            Renewed::Changed => {}
            Renewed::Tenant(refusal) => return Err(refusal.into()),
            Renewed::RelationshipActive => {
                let detail = "The relationship with this customer is active already.";
                return Err(Problem::new(Code::RelationshipActive, detail));
            }
            Renewed::NotActive => {
                let detail = "The relationship this grant was asked for is not active any more.";
                return Err(Problem::new(Code::InvalidTransition, detail));
            }
            Renewed::Pending(open) => return Err(Problem::invitation_pending(&open)),
        }
    }
    Err(StoreError::Contention.into())
}

/// The invitation with a new link and a new end.
fn renewal(app: &App, request: &Request, before: &Invitation, days: u32) -> Result<Invitation, Problem> {
    let key_number = app.keys.current()?;
    let token_generation = before.token_generation + 1;
    let token = app.keys.link_token(key_number, &before.invitation_id, token_generation)?;
    Ok(Invitation {
        key_number,
        token_generation,
        token_hash: token.hash(),
        expires_at: request.now.plus_days(days),
        expiry_announced: false,
        version: before.version + 1,
        ..before.clone()
    })
}

fn renewed(app: &App, request: &Request, invitation: &Invitation) -> Result<Response, Problem> {
    let accept_url = Some(app.accept_url(request, invitation)?);
    Response::json(200, &InvitationLinkView { invitation: InvitationView::new(invitation, request.now), accept_url })
}
