//! Declining: token → state → expiry → transaction. Proof, partner and tenant don't matter: a customer may always say no.
//! Nobody claims a role to say no by link, so its event names none.

use domain::{Answer, Decision, EventType, Invitation, InvitationState, text};
use platform::handler::App;
use platform::handler::views::InvitationResponse;
use platform::http_api::fields::{self, Fields};
use platform::http_api::{Problem, Request, Response};
use platform::store::{InvitationChange, StoreError, TRIES};

use crate::accept::expired;
use crate::holder::Holder;

/// Declines the path's invitation, `{reason?}` → `{invitation}`. A repeat gets the first answer, whatever reason it gives.
pub(crate) async fn decline(
    app: &App,
    request: &Request,
    holder: &Holder,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let longest = app.policy_for(request).limits.message_characters;
    let reason = fields.optional("reason", fields::checked(|value| text::paragraph(value, longest)));
    fields.finish(Some(()))?;
    for _ in 0..TRIES {
        let invitation = holder.find(app, request).await?;
        match invitation.state(request.now) {
            InvitationState::Pending => {}
            InvitationState::Declined => return Ok(answer(&invitation, request)?.replayed(true)),
            InvitationState::Expired => return Err(expired()),
            state @ (InvitationState::Accepted | InvitationState::Cancelled) => {
                return Err(Problem::answered_already(state));
            }
        }
        let actor = holder.actor(&invitation, None);
        // The reason is free text and may name a person. It stays on the invitation: events are never erased.
        let event = invitation.event(EventType::InvitationDeclined, app.occurrence(request, &actor), []);
        let declined = Answer { decision: Decision::Declined { reason: reason.clone() }, decided_at: request.now };
        let change = InvitationChange { before: &invitation, answer: &declined, grant: None, event: &event };
        if app.store.close_invitation(request.op(), &change).await? {
            return answer(&invitation.answered(declined), request);
        }
    }
    Err(StoreError::Contention.into())
}

fn answer(invitation: &Invitation, request: &Request) -> Result<Response, Problem> {
    Response::json(200, &InvitationResponse::new(invitation, request.now))
}
