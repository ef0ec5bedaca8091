//! Customers.

use domain::{Chain, EventType, Tenant, TenantId};
use platform::handler::App;
use platform::handler::views::CustomerView;
use platform::http_api::{Code, Problem, Request, Response};
use platform::store::{Registered, StoreError, TRIES};
use serde_json::json;

use crate::Act;
use crate::body::{Organisation, new_name};

/// Registers a customer: new 201, the same facts again 200, other facts 409.
pub(crate) async fn register(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    let body = Organisation::read(&act, true)?;
    let tenant = Tenant {
        tenant_id: body.tenant_id,
        registered_name: body.name.clone(),
        name: body.name,
        domain: body.domain,
        cloud: body.cloud,
        market: body.market,
        partner_id: None,
        created_at: request.now,
        chain: Chain::default(),
    };
    let data = [("name", json!(tenant.name)), ("cloud", json!(tenant.cloud)), ("market", json!(tenant.market))];
    let event = tenant.event(EventType::CustomerRegistered, act.occurrence(), data);
    match app.store.register_customer(request.op(), &tenant, &event).await? {
        Registered::New => answer(201, &tenant),
        Registered::Before(before) if before.registered_like(&tenant) => Ok(answer(200, &before)?.replayed(true)),
        Registered::Before(_) => Err(Problem::new(
            Code::TenantExists,
            "This tenant is registered already, with another name, domain, cloud or market.",
        )),
    }
}

/// Gives a customer another name.
pub(crate) async fn rename(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    let id = TenantId::parse(request.path("tenant_id")).ok_or_else(Problem::not_found)?;
    let name = new_name(&act)?;
    for _ in 0..TRIES {
        let tenant = app.store.tenant(request.op(), &id).await?.ok_or_else(Problem::not_found)?;
        if tenant.name == name {
            return answer(200, &tenant);
        }
        let event = tenant.event(EventType::CustomerRenamed, act.occurrence(), [("name", json!(name))]);
        if app.store.rename_tenant(request.op(), &tenant, &name, &event).await? {
            return answer(200, &Tenant { name, ..tenant });
        }
    }
    Err(StoreError::Contention.into())
}

fn answer(status: u16, tenant: &Tenant) -> Result<Response, Problem> {
    Response::json(status, &json!({"customer": CustomerView::new(tenant)}))
}
