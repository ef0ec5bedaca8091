//! The owner's action on one of its endpoints.

use std::time::Duration;

use domain::{Actor, Endpoint, EndpointId, EndpointState, Occurrence, Owner, Use};
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

    /// One more challenge or test that the owner causes.
    ///
    /// # Errors
    /// 429 `rate_limited`.
    pub(crate) async fn another_challenge(&self) -> Result<Use, Problem> {
        let context = &self.context;
        let per_hour = context.policy().limits.endpoint_challenges_per_hour;
        let challenge = context.app.store.another_challenge(context.op(), &self.owner, per_hour).await?;
        challenge.map_err(|wait| problem_challenges(per_hour, wait))
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

pub(crate) fn problem_challenges(per_hour: u32, wait: Duration) -> Problem {
    let what = "Creating an endpoint, changing its URL, reactivating it and testing it send a challenge or a test.";
    rate_limited(format!("{what} The limit is {per_hour} an hour for all endpoints of an owner."), wait)
}

/// 429 `rate_limited`, with the time until there is room.
pub(crate) fn rate_limited(detail: String, wait: Duration) -> Problem {
    Problem::new(Code::RateLimited, detail)
        .retry_after(u64::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX))
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
