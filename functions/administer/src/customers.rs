use domain::{Chain, EventType, Tenant, TenantId};
use platform::handler::views::{CustomerResponse, CustomerView};
use platform::handler::{Context, CreatedOnce, Found, Json, Operator, Path};
use platform::http_api::{Code, Problem};
use platform::store::{Registered, Step, retry_on_change};
use serde_json::json;

use crate::body::{CustomerBody, NameBody};

/// New 201, the same details again 200, other details 409.
pub(crate) async fn register(
    context: Context,
    caller: Operator,
    Json(CustomerBody { tenant, domain }): Json<CustomerBody>,
) -> Result<CreatedOnce<CustomerResponse>, Problem> {
    let tenant = Tenant {
        tenant_id: tenant.tenant_id,
        registered_name: tenant.name.clone(),
        name: tenant.name,
        domain,
        cloud: tenant.cloud,
        market: tenant.market,
        partner_id: None,
        created_at: context.now(),
        chain: Chain::default(),
    };
    let data = [("name", json!(tenant.name)), ("cloud", json!(tenant.cloud)), ("market", json!(tenant.market))];
    let event = tenant.event(EventType::CustomerRegistered, context.occurrence(&caller.actor), data);
    match context.app.store.register_customer(context.op(), &tenant, &event).await? {
        Registered::New => Ok(CreatedOnce::new(response(&tenant))),
        Registered::AlreadyExists(before) if before.has_same_registration(&tenant) => {
            Ok(CreatedOnce::replayed(response(&before)))
        }
        Registered::AlreadyExists(_) => Err(Problem::new(
            Code::TenantExists,
            "This tenant is already registered with another name, domain, cloud or market.",
        )),
    }
}

pub(crate) async fn rename(
    context: Context,
    caller: Operator,
    (Path(id), Json(NameBody { name })): (Path<TenantId>, Json<NameBody>),
) -> Result<Found<CustomerResponse>, Problem> {
    retry_on_change(|| try_rename(&context, &caller, &id, &name)).await
}

async fn try_rename(
    context: &Context,
    caller: &Operator,
    id: &TenantId,
    name: &str,
) -> Result<Step<Found<CustomerResponse>>, Problem> {
    let store = &context.app.store;
    let tenant = store.tenant(context.op(), id).await?.ok_or_else(Problem::not_found)?;
    if tenant.name == name {
        return Ok(Step::Done(Found(response(&tenant))));
    }
    let data = [("name", json!(name))];
    let event = tenant.event(EventType::CustomerRenamed, context.occurrence(&caller.actor), data);
    if !store.rename_tenant(context.op(), &tenant, name, &event).await? {
        return Ok(Step::Changed);
    }
    Ok(Step::Done(Found(response(&Tenant { name: name.to_owned(), ..tenant }))))
}

fn response(tenant: &Tenant) -> CustomerResponse {
    CustomerResponse { customer: CustomerView::new(tenant) }
}
