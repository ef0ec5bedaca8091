//! Who holds the invitation: whoever has its link, or the customer it was made for.

use domain::{Actor, ActorKind, Invitation, InvitationId, Role, TenantId};
use platform::handler::App;
use platform::http_api::{Problem, Request};
use platform::secrets::{LinkToken, same_hash};

/// How an answer came.
pub(crate) enum Holder {
    /// By link: possession is all that is proven.
    Link {
        /// The token; `None` when what was sent can't be one, which is a wrong one.
        token: Option<LinkToken>,
    },
    /// By a key of the customer's.
    Customer {
        /// The customer.
        customer: TenantId,
        /// The key's holder.
        actor: Actor,
    },
}

impl Holder {
    /// Whoever sent this as the link's token.
    pub(crate) fn link(token: &str) -> Self {
        Self::Link { token: LinkToken::parse(token) }
    }

    /// Who acts: a key's holder in the key's role; whoever holds the link in the role `claimed`, if any was.
    pub(crate) fn actor(&self, invitation: &Invitation, claimed: Option<Role>) -> Actor {
        match self {
            Self::Customer { actor, .. } => actor.clone(),
            Self::Link { .. } => {
                Actor { kind: ActorKind::Link, id: invitation.invitation_id.to_string(), role: claimed }
            }
        }
    }

    /// The path's invitation, if it is this holder's. An unknown one costs the same comparison as a wrong token.
    pub(crate) async fn find(&self, app: &App, request: &Request) -> Result<Invitation, Problem> {
        let invitation = match InvitationId::parse(request.path("invitation_id")) {
            Some(id) => app.store.invitation(request.op(), &id).await?,
            None => None,
        };
        let own = match self {
            Self::Link { token } => {
                let given = token.as_ref().map_or([0; 32], LinkToken::hash);
                let known = invitation.as_ref().map_or([1; 32], |invitation| invitation.token_hash);
                same_hash(&known, &given)
            }
            Self::Customer { customer, .. } => {
                invitation.as_ref().is_some_and(|invitation| invitation.customer == *customer)
            }
        };
        invitation.filter(|_| own).ok_or_else(Problem::not_found)
    }
}
