use domain::{Chain, Corrected, Corrections, EventType, Tenant, TenantId};
use platform::handler::views::{CustomerResponse, CustomerView};
use platform::handler::{Context, CreatedOnce, Found, Json, NoMembers, Operator, Path};
use platform::http_api::{Code, Problem};
use platform::store::{Registered, Step, retry_on_change};
use serde_json::json;

use crate::body::{CustomerBody, CustomerCorrection};

/// New 201, the current details again 200, other details 409.
pub(crate) async fn register(
    context: Context,
    caller: Operator,
    Json(CustomerBody(tenant)): Json<CustomerBody>,
) -> Result<CreatedOnce<CustomerResponse>, Problem> {
    let tenant = Tenant {
        tenant_id: tenant.tenant_id,
        name: tenant.name,
        domain: tenant.domain,
        cloud: tenant.cloud,
        market: tenant.market,
        partner_id: None,
        sessions_generation: 0,
        created_at: context.now(),
        chain: Chain::default(),
    };
    let data = [
        ("name", json!(tenant.name)),
        ("domain", json!(tenant.domain)),
        ("cloud", json!(tenant.cloud)),
        ("market", json!(tenant.market)),
    ];
    let event = tenant.event(EventType::CustomerRegistered, context.occurrence(&caller.actor), data);
    match context.app.store.register_customer(context.op(), &tenant, &event).await? {
        Registered::New => Ok(CreatedOnce::new(response(&tenant))),
        Registered::AlreadyExists(before) if before.agrees_with(&tenant) => {
            Ok(CreatedOnce::replayed(response(&before)))
        }
        Registered::AlreadyExists(_) => Err(Problem::new(
            Code::TenantExists,
            "This tenant is already registered with another name, domain, cloud or market. Read it, and correct it with `PATCH`.",
        )),
    }
}

pub(crate) async fn correct(
    context: Context,
    caller: Operator,
    (Path(id), Json(CustomerCorrection(corrections))): (Path<TenantId>, Json<CustomerCorrection>),
) -> Result<Found<CustomerResponse>, Problem> {
    retry_on_change(|| try_correct(&context, &caller, &id, &corrections)).await
}

async fn try_correct(
    context: &Context,
    caller: &Operator,
    id: &TenantId,
    corrections: &Corrections,
) -> Result<Step<Found<CustomerResponse>>, Problem> {
    let store = &context.app.store;
    let before = store.tenant(context.op(), id).await?.ok_or_else(Problem::not_found)?;
    let corrected = corrections.of_customer(&before);
    if corrected.changed.is_empty() {
        return Ok(Step::Done(Found(response(&before))));
    }
    check_use(context, &before, &corrected).await?;
    let mut event = before.event(EventType::CustomerUpdated, context.occurrence(&caller.actor), []);
    event.data = corrected.changed;
    let after = corrected.record;
    let is_written = store.correct_tenant(context.op(), &before, &after, &event).await?;
    Ok(if is_written { Step::Done(Found(response(&after))) } else { Step::Changed })
}

/// Ends every session that began before. Each request is an event of its own: it is not known whether a session was live.
pub(crate) async fn end_sessions(
    context: Context,
    caller: Operator,
    (_, Path(id)): (NoMembers, Path<TenantId>),
) -> Result<Found<CustomerResponse>, Problem> {
    retry_on_change(|| async {
        let store = &context.app.store;
        let before = store.tenant(context.op(), &id).await?.ok_or_else(Problem::not_found)?;
        let event = before.event(EventType::CustomerSessionsEnded, context.occurrence(&caller.actor), []);
        let is_written = store.end_sessions(context.op(), &before, &event).await?;
        Ok(if is_written { Step::Done(Found(response(&before))) } else { Step::Changed })
    })
    .await
}

/// A partner has its tenant's cloud and market. A customer's partners are in its cloud.
async fn check_use(context: &Context, before: &Tenant, corrected: &Corrected<Tenant>) -> Result<(), Problem> {
    let in_use = |detail: &'static str| Err(Problem::new(Code::CustomerInUse, detail));
    if before.partner_id.is_some() && (corrected.changes("cloud") || corrected.changes("market")) {
        return in_use("The tenant is enrolled as a partner. Its cloud and market can no longer be corrected here.");
    }
    if corrected.changes("cloud") && context.app.store.was_invited(context.op(), &before.tenant_id).await? {
        return in_use("The customer has been invited before. Its cloud can no longer be corrected.");
    }
    Ok(())
}

fn response(tenant: &Tenant) -> CustomerResponse {
    CustomerResponse { customer: CustomerView::new(tenant) }
}
