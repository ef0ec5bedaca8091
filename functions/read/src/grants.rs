//! One grant.

use domain::{GrantId, Invitation};
use platform::handler::views::{GrantResponse, GrantView};
use platform::handler::{Context, Found};
use platform::http_api::Problem;

/// The grant, if `is_own` accepts its invitation. A grant is stored with its customer and partner, and only the invitation with
/// the same suffix knows which those are.
///
/// # Errors
/// 404 `not_found`.
pub(crate) async fn own_grant(
    context: &Context,
    id: &GrantId,
    is_own: impl Fn(&Invitation) -> bool,
) -> Result<Found<GrantResponse>, Problem> {
    let (store, op) = (&context.app.store, context.op());
    let invitation = store.invitation(op, &id.invitation()).await?.filter(is_own).ok_or_else(Problem::not_found)?;
    let found = store.grant_in_relationship(op, &invitation.customer, &invitation.partner_id, id).await?;
    let (grant, relationship, status) = found.ok_or_else(Problem::not_found)?;
    let grant = GrantView::in_relationship(&relationship, &grant, context.now(), status);
    Ok(Found(GrantResponse { grant }))
}
