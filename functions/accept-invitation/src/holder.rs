//! Who may answer an invitation: the holder of its link, or the customer that it was made for.

use domain::{Actor, Invitation, InvitationId, Role, TenantId};
use platform::handler::views::Viewer;
use platform::handler::{Context, CustomerKey, Path};
use platform::http_api::Problem;
use platform::secrets::{LinkToken, same_hash};

/// How an answer was sent.
pub(crate) enum Holder {
    /// With the link's token, which only proves possession of the link. A malformed token counts as a wrong one.
    Link { token: Option<LinkToken> },
    /// With the customer's key.
    Customer { customer: TenantId, actor: Actor },
}

impl Holder {
    pub(crate) fn from_token(token: &str) -> Self {
        Self::Link { token: LinkToken::parse(token) }
    }

    pub(crate) fn viewer(&self) -> Viewer {
        match self {
            Self::Link { .. } => Viewer::Link,
            Self::Customer { .. } => Viewer::Customer,
        }
    }

    /// Whether the customer itself acts, and not anyone who has the link.
    pub(crate) fn is_customer(&self) -> bool {
        matches!(self, Self::Customer { .. })
    }

    /// Who acts. By link, `claimed` is the role that the link holder claims.
    pub(crate) fn actor(&self, invitation: &Invitation, claimed: Option<Role>) -> Actor {
        match self {
            Self::Customer { actor, .. } => actor.clone(),
            Self::Link { .. } => Actor::with_link(&invitation.invitation_id, claimed),
        }
    }

    /// The invitation in the path, if it is this holder's. A malformed id or token costs no read: anyone can send one. An
    /// unknown id costs the same comparison as a wrong token.
    ///
    /// # Errors
    /// 404 `not_found`, also for a malformed id or token.
    pub(crate) async fn invitation(&self, context: &Context) -> Result<Invitation, Problem> {
        let id = Path::<InvitationId>::parse(context).filter(|_| !matches!(self, Self::Link { token: None }));
        let id = id.ok_or_else(Problem::not_found)?;
        let invitation = context.app.store.invitation(context.op(), &id).await?;
        let is_own = match self {
            Self::Link { token } => {
                let sent = token.as_ref().map_or([0; 32], LinkToken::hash);
                let known = invitation.as_ref().map_or([1; 32], |invitation| invitation.token_hash);
                same_hash(&known, &sent)
            }
            Self::Customer { customer, .. } => {
                invitation.as_ref().is_some_and(|invitation| invitation.customer == *customer)
            }
        };
        invitation.filter(|_| is_own).ok_or_else(Problem::not_found)
    }
}

impl From<CustomerKey> for Holder {
    fn from(caller: CustomerKey) -> Self {
        Self::Customer { customer: caller.customer, actor: caller.actor }
    }
}
