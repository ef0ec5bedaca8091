//! Customers.

use serde_json::json;
use shared::domain::{Chain, EventType, Subject, Tenant, TenantId};
use shared::http::{Code, Problem, Response};
use shared::store::Registered;

use crate::body::{Organisation, new_name};
use crate::{Act, TRIES, contention};

/// Registers a customer: new 201, the same facts again 200, other facts 409.
pub(crate) async fn register(act: &Act<'_>) -> Result<Response, Problem> {
    let body = Organisation::read(act, true)?;
    let subject = subject(&body.tenant_id);
    let data = [("name", json!(body.name)), ("cloud", json!(body.cloud)), ("market", json!(body.market))];
    let event = act.event(EventType::CustomerRegistered, body.tenant_id.as_str(), &Chain::default(), subject, data);
    let tenant = Tenant {
        tenant_id: body.tenant_id,
        name: body.name,
        domain: body.domain,
        cloud: body.cloud,
        market: body.market,
        partner_id: None,
        created_at: act.request.now,
        chain: Chain::default(),
    };
    match act.app.store.register_customer(act.request.attempt(), &tenant, &event).await? {
        Registered::New => answer(201, &tenant),
        Registered::Before(before) if same_facts(&before, &tenant) => Ok(answer(200, &before)?.replayed(true)),
        Registered::Before(_) => Err(Problem::new(
            Code::TenantExists,
            "This tenant is registered already, with another name, domain, cloud or market.",
        )),
    }
}

fn same_facts(a: &Tenant, b: &Tenant) -> bool {
    (&a.name, &a.domain, a.cloud, a.market) == (&b.name, &b.domain, b.cloud, b.market)
}

/// Gives a customer another name.
pub(crate) async fn rename(act: &Act<'_>) -> Result<Response, Problem> {
    let id = TenantId::parse(act.request.path("tenant_id")).ok_or_else(Problem::not_found)?;
    let name = new_name(act)?;
    for _ in 0..TRIES {
        let tenant = act.app.store.tenant(act.request.attempt(), &id).await?.ok_or_else(Problem::not_found)?;
        if tenant.name == name {
            return answer(200, &tenant);
        }
        let data = [("name", json!(name))];
        let event = act.event(EventType::CustomerRenamed, id.as_str(), &tenant.chain, subject(&id), data);
        if act.app.store.rename_tenant(act.request.attempt(), &tenant, &name, &event).await? {
            return answer(200, &Tenant { name, ..tenant });
        }
    }
    Err(contention())
}

fn subject(id: &TenantId) -> Subject {
    Subject { customer_tenant_id: Some(id.clone()), ..Subject::default() }
}

fn answer(status: u16, tenant: &Tenant) -> Result<Response, Problem> {
    Response::json(status, &json!({"customer": tenant.view()}))
}
