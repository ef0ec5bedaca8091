//! Erasing the personal data of an invitation: who accepted it, the contact, the message, and the reason for declining. Everything
//! else stays, and the invitation works as before.

use domain::{EventType, InvitationId};
use platform::handler::views::{InvitationResponse, Viewer};
use platform::handler::{Context, NoMembers, Operator, Path, Replayable};
use platform::http_api::Problem;
use platform::store::{Step, retry_on_change};
use serde_json::json;

type Erased = Replayable<InvitationResponse>;

pub(crate) async fn erase(
    context: Context,
    caller: Operator,
    (_, Path(id)): (NoMembers, Path<InvitationId>),
) -> Result<Erased, Problem> {
    retry_on_change(|| try_erase(&context, &caller, &id)).await
}

async fn try_erase(context: &Context, caller: &Operator, id: &InvitationId) -> Result<Step<Erased>, Problem> {
    let (store, now) = (&context.app.store, context.now());
    let before = store.invitation(context.op(), id).await?.ok_or_else(Problem::not_found)?;
    let personal = before.personal();
    // A renewal or an answer may have added texts since.
    if before.erased_at.is_some() && personal.is_empty() {
        return Ok(Step::Done(Replayable::replayed(InvitationResponse::new(&before, now, Viewer::Operator))));
    }
    let data = [("erased", json!(personal))];
    let event = before.event(EventType::InvitationErased, context.occurrence(&caller.actor), data);
    if !store.erase_invitation(context.op(), &before, &event).await? {
        return Ok(Step::Changed);
    }
    Ok(Step::Done(Replayable::done(InvitationResponse::new(&before.erased(now), now, Viewer::Operator))))
}
