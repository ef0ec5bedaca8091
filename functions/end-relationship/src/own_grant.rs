//! Which grants a caller may change.

use domain::{GrantId, Invitation};
use platform::handler::Context;
use platform::http_api::Problem;

/// The invitation of a grant, if `is_own` accepts it.
///
/// # Errors
/// 404 `not_found`.
pub(crate) async fn invitation_of(
    context: &Context,
    id: &GrantId,
    is_own: impl Fn(&Invitation) -> bool,
) -> Result<Invitation, Problem> {
    // A grant is stored with its customer, and only the invitation with the same suffix knows which customer that is.
    let invitation = context.app.store.invitation(context.op(), &id.invitation()).await?;
    invitation.filter(|invitation| is_own(invitation)).ok_or_else(Problem::not_found)
}
