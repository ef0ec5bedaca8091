//! Declining: token → state → expiry → transaction. Proof, partner and tenant don't matter: a customer may always say no.

use serde_json::{Value, json};
use shared::app::App;
use shared::domain::{Answer, Decision, EventType, Invitation, InvitationState, Occurrence, text};
use shared::http::fields::{self, Fields};
use shared::http::{Code, Problem, Request, Response};
use shared::store::InvitationChange;

use crate::accept::{TRIES, answered_otherwise, expired};
use crate::body::any_text;
use crate::holder::Holder;

/// Reads `{token, reason?}`; by key there is no token, and the whole body may be absent.
pub(crate) fn read(app: &App, request: &Request, by_link: bool) -> Result<(Option<String>, Option<String>), Problem> {
    let longest = app.policy_for(request).limits.message_characters;
    let document = if by_link || request.has_body() {
        fields::document(&request.body()?)?
    } else {
        Value::Object(Default::default())
    };
    let mut fields = Fields::of(document)?;
    let token = if by_link { fields.required("token", any_text).map(Some) } else { Some(None) };
    let reason = fields.optional("reason", fields::checked(|value| text::paragraph(value, longest)));
    fields.finish(token.map(|token| (token, reason)))
}

/// Declines the path's invitation → `{invitation}`. A repeat gets the first answer, whatever reason it gives.
pub(crate) async fn decline(
    app: &App,
    request: &Request,
    holder: &Holder,
    reason: Option<String>,
) -> Result<Response, Problem> {
    let policy = app.policy_for(request);
    for _ in 0..TRIES {
        let invitation = holder.find(app, request).await?;
        match invitation.state(request.now) {
            InvitationState::Pending => {}
            InvitationState::Declined => return Ok(answer(&invitation, request)?.replayed(true)),
            InvitationState::Expired => return Err(expired()),
            InvitationState::Accepted | InvitationState::Cancelled => {
                return Err(answered_otherwise(&invitation, request));
            }
        }
        let actor = holder.actor(&invitation, policy);
        let occurrence = Occurrence { at: request.now, actor: &actor, policy_version: policy.version };
        let event = invitation.event(EventType::InvitationDeclined, occurrence, [("reason", json!(reason))]);
        let answered = Answer { decision: Decision::Declined { reason: reason.clone() }, decided_at: request.now };
        let change = InvitationChange { before: &invitation, answer: &answered, grant: None, event: &event };
        if app.store.close_invitation(request.attempt(), &change).await? {
            let version = invitation.version + 1;
            return answer(&Invitation { answer: Some(answered), version, ..invitation }, request);
        }
    }
    Err(Problem::new(Code::Contention, "The invitation kept changing; send the request again.").retry_after(1))
}

fn answer(invitation: &Invitation, request: &Request) -> Result<Response, Problem> {
    Response::json(200, &json!({"invitation": invitation.view(request.now)}))
}
