//! Whose endpoints a route is about, and whether the caller may see or change them.

use domain::{Action, Actor, Endpoint, EndpointId, EndpointState, Occurrence, Owner};
use platform::handler::App;
use platform::handler::Caller;
use platform::http_api::{Problem, Request};
use platform::store::List;

/// An owner's act on its endpoints.
pub(crate) struct Act<'a> {
    pub(crate) app: &'a App,
    pub(crate) request: &'a Request,
    pub(crate) owner: Owner,
    actor: Actor,
}

impl<'a> Act<'a> {
    /// The act of whoever calls, if these are its endpoints and its roles allow it.
    pub(crate) async fn of(app: &'a App, request: &'a Request) -> Result<Self, Problem> {
        let caller = Caller::by_key(app, request).await?;
        let (owner, actor) = if is_partners(request) {
            let acting = caller.acting_partner(app, request, Action::ManageEndpoints).await?;
            (Owner::Partner(acting.partner.partner_id), acting.actor)
        } else {
            let (tenant, actor) = caller.acting_customer(app, request)?;
            (Owner::Customer(tenant), actor)
        };
        Ok(Self { app, request, owner, actor })
    }

    pub(crate) fn occurrence(&self) -> Occurrence<'_> {
        self.app.occurrence(self.request, &self.actor)
    }

    /// The endpoint of the path, as it is now, even if it is deleted.
    pub(crate) async fn endpoint(&self) -> Result<Endpoint, Problem> {
        endpoint(self.app, self.request, &self.owner).await
    }

    /// The endpoint of the path, as it is now.
    pub(crate) async fn live_endpoint(&self) -> Result<Endpoint, Problem> {
        let endpoint = self.endpoint().await?;
        live(&endpoint)?;
        Ok(endpoint)
    }
}

async fn endpoint(app: &App, request: &Request, owner: &Owner) -> Result<Endpoint, Problem> {
    let id = EndpointId::parse(request.path("endpoint_id")).ok_or_else(Problem::not_found)?;
    app.store.endpoint(request.op(), owner, &id).await?.ok_or_else(Problem::not_found)
}

/// An endpoint, unless it is deleted: then there is none.
///
/// # Errors
/// 404 `not_found`.
pub(crate) fn live(endpoint: &Endpoint) -> Result<&Endpoint, Problem> {
    if endpoint.state == EndpointState::Deleted { Err(Problem::not_found()) } else { Ok(endpoint) }
}

/// An owner's endpoints, read by itself or by an operator.
pub(crate) struct Reading<'a> {
    pub(crate) app: &'a App,
    pub(crate) request: &'a Request,
    pub(crate) caller: Caller,
    pub(crate) owner: Owner,
}

impl<'a> Reading<'a> {
    pub(crate) async fn of(app: &'a App, request: &'a Request) -> Result<Self, Problem> {
        let caller = Caller::by_key(app, request).await?;
        let owner = if is_partners(request) {
            Owner::Partner(caller.reading_partner(app, request).await?.partner_id)
        } else {
            Owner::Customer(caller.reading_customer(app, request).await?)
        };
        Ok(Self { app, request, caller, owner })
    }

    pub(crate) fn list(&self) -> List {
        match &self.owner {
            Owner::Partner(id) => List::Partner(id.clone()),
            Owner::Customer(id) => List::Customer(id.clone()),
        }
    }

    /// The endpoint of the path, as it is now.
    pub(crate) async fn endpoint(&self) -> Result<Endpoint, Problem> {
        let endpoint = endpoint(self.app, self.request, &self.owner).await?;
        live(&endpoint)?;
        Ok(endpoint)
    }
}

fn is_partners(request: &Request) -> bool {
    request.route_key().contains(" /v1/partners/")
}
