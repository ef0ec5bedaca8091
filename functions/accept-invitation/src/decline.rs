//! Declining, in the order of the contract: token, state, expiry, transaction. Proof, partner and tenant are not checked: a
//! customer can always decline. By link, no role is claimed, so the event names none.

use domain::{Answer, Decision, EventType, InvitationState};
use platform::handler::views::InvitationResponse;
use platform::handler::{Context, CustomerKey, Json, LinkHolder, OptionalJson, Replayable};
use platform::http_api::Problem;
use platform::store::{InvitationChange, Step, retry_on_change};

use crate::accept::problem_expired;
use crate::body::{DeclineByKey, DeclineByLink};
use crate::holder::Holder;

type Declined = Replayable<InvitationResponse>;

pub(crate) async fn by_link(
    context: Context,
    _: LinkHolder,
    Json(body): Json<DeclineByLink>,
) -> Result<Declined, Problem> {
    decline(&context, &Holder::from_token(&body.token), body.reason).await
}

pub(crate) async fn by_key(
    context: Context,
    caller: CustomerKey,
    OptionalJson(body): OptionalJson<DeclineByKey>,
) -> Result<Declined, Problem> {
    decline(&context, &caller.into(), body.reason).await
}

/// Repeating the request returns the first response, also with another reason.
async fn decline(context: &Context, holder: &Holder, reason: Option<String>) -> Result<Declined, Problem> {
    retry_on_change(|| try_decline(context, holder, reason.clone())).await
}

async fn try_decline(context: &Context, holder: &Holder, reason: Option<String>) -> Result<Step<Declined>, Problem> {
    let now = context.now();
    let invitation = holder.invitation(context).await?;
    match invitation.state(now) {
        InvitationState::Pending => {}
        InvitationState::Declined => {
            return Ok(Step::Done(Replayable::replayed(InvitationResponse::new(&invitation, now, holder.viewer()))));
        }
        InvitationState::Expired => return Err(problem_expired()),
        state @ (InvitationState::Accepted | InvitationState::Cancelled) => {
            return Err(Problem::answered_already(state));
        }
    }
    let actor = holder.actor(&invitation, None);
    // The reason may name a person, and events are never erased. It is only kept on the invitation.
    let event = invitation.event(EventType::InvitationDeclined, context.occurrence(&actor), []);
    let declined = Answer { decision: Decision::Declined { reason }, decided_at: now, proof: actor.proof };
    let change = InvitationChange { before: &invitation, answer: &declined, grant: None, event: &event };
    if !context.app.store.close_invitation(context.op(), &change).await? {
        return Ok(Step::Changed);
    }
    let declined = InvitationResponse::new(&invitation.with_answer(declined), now, holder.viewer());
    Ok(Step::Done(Replayable::done(declined)))
}
