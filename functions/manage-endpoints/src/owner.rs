//! The owner's action on one of its endpoints.

use domain::{Actor, Endpoint, EndpointId, EndpointState, Occurrence, Owner};
use platform::handler::{Context, Owning, Path};
use platform::http_api::{Code, Problem};

/// An owner's action.
pub(crate) struct Action {
    pub(crate) context: Context,
    pub(crate) owner: Owner,
    pub(crate) actor: Actor,
}

impl Action {
    pub(crate) fn new(context: Context, caller: impl Owning) -> Self {
        let (owner, actor) = caller.into_owner();
        Self { context, owner, actor }
    }

    pub(crate) fn occurrence(&self) -> Occurrence<'_> {
        self.context.occurrence(&self.actor)
    }

    /// The endpoint in the path, even if it is deleted.
    pub(crate) async fn endpoint(&self) -> Result<Endpoint, Problem> {
        endpoint(&self.context, &self.owner).await
    }

    /// The endpoint in the path, unless it is deleted or disabled.
    ///
    /// # Errors
    /// 404 `not_found`, 409 `invalid_transition`.
    pub(crate) async fn enabled_endpoint(&self) -> Result<Endpoint, Problem> {
        let endpoint = self.endpoint().await?;
        check_live(&endpoint)?;
        if endpoint.state == EndpointState::Disabled {
            let detail = "The endpoint is disabled. Activate it first: PATCH it with {\"state\": \"active\"}.";
            return Err(Problem::new(Code::InvalidTransition, detail));
        }
        Ok(endpoint)
    }
}

/// The owner's endpoint in the path, even if it is deleted.
pub(crate) async fn endpoint(context: &Context, owner: &Owner) -> Result<Endpoint, Problem> {
    let id = Path::<EndpointId>::parse(context).ok_or_else(Problem::not_found)?;
    context.app.store.endpoint(context.op(), owner, &id).await?.ok_or_else(Problem::not_found)
}

/// A deleted endpoint counts as absent.
///
/// # Errors
/// 404 `not_found`.
pub(crate) fn check_live(endpoint: &Endpoint) -> Result<(), Problem> {
    if endpoint.state == EndpointState::Deleted { Err(Problem::not_found()) } else { Ok(()) }
}
