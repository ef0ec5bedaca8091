//! Partners: enrolment, names, suspension, signing secrets.

use domain::{Chain, EventType, Partner, PartnerId, PartnerStatus, SecretGeneration, Tenant};
use platform::handler::App;
use platform::handler::Rotation;
use platform::handler::views::{PartnerView, SigningSecretView};
use platform::http_api::fields::Fields;
use platform::http_api::{Code, Problem, Request, Response};
use platform::store::{Enrolled, StoreError, TRIES};
use serde_json::{Value, json};

use crate::Act;
use crate::body::{Organisation, new_name};

/// Enrols a tenant as a partner: new 201, the same facts again 200 with the current secret, other facts 409.
pub(crate) async fn enrol(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    let body = Organisation::read(&act, false)?;
    let secret = SecretGeneration { generation: 1, key_number: app.keys.current()?, ends_at: None };
    let partner = Partner {
        partner_id: PartnerId::of(&body.tenant_id),
        tenant_id: body.tenant_id,
        registered_name: body.name.clone(),
        name: body.name,
        cloud: body.cloud,
        market: body.market,
        status: PartnerStatus::Active,
        secrets: vec![secret],
        created_at: request.now,
        chain: Chain::default(),
    };
    let data = [
        ("tenant_id", json!(partner.tenant_id)),
        ("name", json!(partner.name)),
        ("cloud", json!(partner.cloud)),
        ("market", json!(partner.market)),
    ];
    let event = partner.event(EventType::PartnerEnrolled, act.occurrence(), data);
    match app.store.enrol(request.op(), &partner, &event).await? {
        Enrolled::New => enrolled(app, 201, &partner),
        Enrolled::Before(before) if before.enrolled_like(&partner) => Ok(enrolled(app, 200, &before)?.replayed(true)),
        Enrolled::Before(_) => Err(Problem::new(
            Code::PartnerExists,
            "This tenant is enrolled already, with another name, cloud or market.",
        )),
        Enrolled::OtherTenant(tenant) => Err(other_tenant(&tenant, &partner)),
    }
}

fn other_tenant(tenant: &Tenant, partner: &Partner) -> Problem {
    if tenant.cloud == partner.cloud {
        Problem::new(Code::MarketMismatch, "The tenant is registered in another market.")
    } else {
        Problem::new(Code::CloudMismatch, "The tenant is registered in another cloud.")
    }
}

/// `{partner, signing_secret}`
fn enrolled(app: &App, status: u16, partner: &Partner) -> Result<Response, Problem> {
    let secret = current_secret(app, partner)?;
    Response::json(status, &json!({"partner": PartnerView::new(partner), "signing_secret": secret}))
}

fn current_secret(app: &App, partner: &Partner) -> Result<String, Problem> {
    let current = partner.secrets.first().ok_or_else(|| Problem::internal("a partner has no signing secret"))?;
    Ok(app.keys.signing_secret(current.key_number, &partner.partner_id, current.generation)?.to_whsec())
}

/// Gives a partner another name.
pub(crate) async fn rename(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    let name = new_name(&act)?;
    let rename = |partner: &Partner| {
        let change = Change { event_type: EventType::PartnerRenamed, data: [("name", json!(name))] };
        Ok((partner.name != name).then(|| (Partner { name: name.clone(), ..partner.clone() }, change)))
    };
    answer(&change(&act, rename).await?)
}

/// Suspends a partner: its own calls and first acceptances of its invitations are refused until it is resumed.
pub(crate) async fn suspend(app: &App, request: &Request) -> Result<Response, Problem> {
    set_status(app, request, PartnerStatus::Suspended, EventType::PartnerSuspended).await
}

/// Lets a suspended partner act again.
pub(crate) async fn resume(app: &App, request: &Request) -> Result<Response, Problem> {
    set_status(app, request, PartnerStatus::Active, EventType::PartnerResumed).await
}

async fn set_status(
    app: &App,
    request: &Request,
    status: PartnerStatus,
    event_type: EventType,
) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    Fields::of_optional_body(request)?.finish(Some(()))?;
    let set = |partner: &Partner| {
        let change = Change { event_type, data: [("status", json!(status))] };
        Ok((partner.status != status).then(|| (Partner { status, ..partner.clone() }, change)))
    };
    answer(&change(&act, set).await?)
}

/// Makes a new signing secret; the old one stays live for `grace_hours`.
pub(crate) async fn rotate(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    let rotation = Rotation::read(app, request)?;
    let rotate = |partner: &Partner| {
        let secrets = rotation.of(&partner.secrets)?;
        let data = [("old_secret_ends_at", json!(rotation.ends_at))];
        Ok(Some((Partner { secrets, ..partner.clone() }, Change { event_type: EventType::SecretRotated, data })))
    };
    let rotated = change(&act, rotate).await?;
    Response::json(200, &SigningSecretView { signing_secret: current_secret(app, &rotated)? })
}

/// What changes a partner, beside the partner it becomes.
struct Change {
    event_type: EventType,
    data: [(&'static str, Value); 1],
}

/// Changes a partner to what `make` makes of it, unless it makes nothing: then it is that already.
async fn change(
    act: &Act<'_>,
    make: impl Fn(&Partner) -> Result<Option<(Partner, Change)>, Problem>,
) -> Result<Partner, Problem> {
    let id = PartnerId::parse(act.request.path("partner_id")).ok_or_else(Problem::not_found)?;
    let attempt = act.request.op();
    for _ in 0..TRIES {
        let before = act.app.store.fresh_partner(attempt, &id).await?.ok_or_else(Problem::not_found)?;
        let Some((after, Change { event_type, data })) = make(&before)? else { return Ok(before) };
        let event = before.event(event_type, act.occurrence(), data);
        if act.app.store.change_partner(attempt, &before, &after, &event).await? {
            return Ok(after);
        }
    }
    Err(StoreError::Contention.into())
}

fn answer(partner: &Partner) -> Result<Response, Problem> {
    Response::json(200, &json!({"partner": PartnerView::new(partner)}))
}
