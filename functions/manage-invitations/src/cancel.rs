use domain::{Answer, Decision, EventType, InvitationId, InvitationState};
use platform::handler::views::{InvitationResponse, Viewer};
use platform::handler::{Context, NoMembers, PartnerOrOperator, Path, Replayable, permission::ManageInvitation};
use platform::http_api::{Code, Problem};
use platform::store::{InvitationChange, Step, retry_on_change};

use crate::invitation::own_invitation;

type Cancelled = Replayable<InvitationResponse>;

/// Repeating the request returns the first response.
pub(crate) async fn cancel(
    context: Context,
    caller: PartnerOrOperator<ManageInvitation>,
    (_, Path(id)): (NoMembers, Path<InvitationId>),
) -> Result<Cancelled, Problem> {
    retry_on_change(|| try_cancel(&context, &caller, &id)).await
}

async fn try_cancel(
    context: &Context,
    caller: &PartnerOrOperator<ManageInvitation>,
    id: &InvitationId,
) -> Result<Step<Cancelled>, Problem> {
    let now = context.now();
    let invitation = own_invitation(context, &caller.acting, id).await?;
    match invitation.state(now) {
        InvitationState::Pending => {}
        InvitationState::Cancelled => {
            return Ok(Step::Done(Replayable::replayed(InvitationResponse::new(&invitation, now, Viewer::Partner))));
        }
        InvitationState::Expired => {
            let detail = "The invitation has expired. An expired invitation cannot be cancelled, only renewed.";
            return Err(Problem::new(Code::InvitationExpired, detail));
        }
        state @ (InvitationState::Accepted | InvitationState::Declined) => {
            return Err(Problem::answered_already(state));
        }
    }
    let event = invitation.event(EventType::InvitationCancelled, context.occurrence(&caller.acting.actor), []);
    let proof = caller.acting.actor.proof;
    let answer = Answer { decision: Decision::Cancelled { reason: None }, decided_at: now, proof };
    let change = InvitationChange { before: &invitation, answer: &answer, grant: None, event: &event };
    if !context.app.store.close_invitation(context.op(), &change).await? {
        return Ok(Step::Changed);
    }
    let cancelled = InvitationResponse::new(&invitation.with_answer(answer), now, Viewer::Partner);
    Ok(Step::Done(Replayable::done(cancelled)))
}
