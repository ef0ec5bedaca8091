//! Who holds the invitation: whoever has its link, or the customer it was made for.

use shared::app::App;
use shared::auth::{LinkToken, same_hash};
use shared::domain::{Actor, Invitation, InvitationId, PolicyVersion, TenantId};
use shared::http::{Problem, Request};

/// How an answer came.
pub(crate) enum Holder {
    /// By link: possession is all that is proven.
    Link {
        /// The token as it was sent.
        token: String,
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
    /// Who acts: by link, whoever holds it, in the role the holder claims.
    pub(crate) fn actor(&self, invitation: &Invitation, policy: &PolicyVersion) -> Actor {
        match self {
            Self::Customer { actor, .. } => actor.clone(),
            Self::Link { .. } => Actor {
                kind: "link".into(),
                id: invitation.invitation_id.to_string(),
                role: Some(policy.roles.customer),
            },
        }
    }

    /// The path's invitation, if it is this holder's.
    pub(crate) async fn find(&self, app: &App, request: &Request) -> Result<Invitation, Problem> {
        match self {
            Self::Link { token } => by_token(app, request, token).await,
            Self::Customer { customer, .. } => {
                let invitation = of_path(app, request).await?;
                invitation.filter(|invitation| invitation.customer == *customer).ok_or_else(Problem::not_found)
            }
        }
    }
}

/// The path's invitation, if the token is its link's. A malformed token or id is a wrong one, and an unknown invitation
/// costs the same comparison.
pub(crate) async fn by_token(app: &App, request: &Request, token: &str) -> Result<Invitation, Problem> {
    let given = LinkToken::parse(token).map_or([0; 32], |token| token.hash());
    let invitation = of_path(app, request).await?;
    let known = invitation.as_ref().map_or([1; 32], |invitation| invitation.token_hash);
    let right = same_hash(&known, &given);
    invitation.filter(|_| right).ok_or_else(Problem::not_found)
}

async fn of_path(app: &App, request: &Request) -> Result<Option<Invitation>, Problem> {
    match InvitationId::parse(request.path("invitation_id")) {
        Some(id) => Ok(app.store.invitation(request.attempt(), &id).await?),
        None => Ok(None),
    }
}
