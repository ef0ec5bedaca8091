//! Partners: enrolment, names, suspension, signing secrets.

use serde_json::{Value, json};
use shared::domain::{Chain, EventType, Partner, PartnerId, PartnerStatus, SecretGeneration, Subject};
use shared::http::{Code, Problem, Response, fields};
use shared::store::{Enrolled, StoreError};

use crate::body::{self, Organisation, new_name};
use crate::{Act, TRIES, contention};

/// Enrols a tenant as a partner: new 201, the same facts again 200 with the current secret, other facts 409.
pub(crate) async fn enrol(act: &Act<'_>) -> Result<Response, Problem> {
    let body = Organisation::read(act, false)?;
    let partner_id = PartnerId::of(&body.tenant_id);
    let key_number = act.app.keys.current().ok_or_else(Problem::internal)?;
    let partner = Partner {
        partner_id: partner_id.clone(),
        tenant_id: body.tenant_id,
        name: body.name,
        cloud: body.cloud,
        market: body.market,
        status: PartnerStatus::Active,
        secrets: vec![SecretGeneration { generation: 1, key_number, ends_at: None }],
        created_at: act.request.now,
        chain: Chain::default(),
    };
    let data = [
        ("tenant_id", json!(partner.tenant_id)),
        ("name", json!(partner.name)),
        ("cloud", json!(partner.cloud)),
        ("market", json!(partner.market)),
    ];
    let event =
        act.event(EventType::PartnerEnrolled, partner_id.as_str(), &Chain::default(), subject(&partner_id), data);
    match act.app.store.enrol(act.request.attempt(), &partner, &event).await? {
        Enrolled::New => enrolled(act, 201, &partner),
        Enrolled::Before(before) if same_facts(&before, &partner) => Ok(enrolled(act, 200, &before)?.replayed(true)),
        Enrolled::Before(_) => Err(Problem::new(
            Code::PartnerExists,
            "This tenant is enrolled already, with another name, cloud or market.",
        )),
        Enrolled::OtherTenant(tenant) if tenant.cloud != partner.cloud => {
            Err(Problem::new(Code::CloudMismatch, "The tenant is registered in another cloud."))
        }
        Enrolled::OtherTenant(_) => {
            Err(Problem::new(Code::MarketMismatch, "The tenant is registered in another market."))
        }
    }
}

fn same_facts(a: &Partner, b: &Partner) -> bool {
    (&a.name, a.cloud, a.market) == (&b.name, b.cloud, b.market)
}

/// `{partner, signing_secret}`
fn enrolled(act: &Act<'_>, status: u16, partner: &Partner) -> Result<Response, Problem> {
    let secret = current_secret(act, partner)?;
    Response::json(status, &json!({"partner": partner.view(), "signing_secret": secret}))
}

fn current_secret(act: &Act<'_>, partner: &Partner) -> Result<String, Problem> {
    let current = partner.secrets.first().ok_or_else(Problem::internal)?;
    let secret = act.app.keys.signing_secret(current.key_number, &partner.partner_id, current.generation);
    Ok(secret.map_err(StoreError::from)?.to_whsec())
}

/// Gives a partner another name.
pub(crate) async fn rename(act: &Act<'_>) -> Result<Response, Problem> {
    let name = new_name(act)?;
    let rename = |partner: &Partner| {
        let change = Change { event_type: EventType::PartnerRenamed, data: [("name", json!(name))] };
        (partner.name != name).then(|| (Partner { name: name.clone(), ..partner.clone() }, change))
    };
    answer(&change(act, rename).await?)
}

/// Suspends a partner: its own calls and first acceptances of its invitations are refused until it is resumed.
pub(crate) async fn suspend(act: &Act<'_>) -> Result<Response, Problem> {
    set_status(act, PartnerStatus::Suspended, EventType::PartnerSuspended).await
}

/// Lets a suspended partner act again.
pub(crate) async fn resume(act: &Act<'_>) -> Result<Response, Problem> {
    set_status(act, PartnerStatus::Active, EventType::PartnerResumed).await
}

async fn set_status(act: &Act<'_>, status: PartnerStatus, event_type: EventType) -> Result<Response, Problem> {
    let set = |partner: &Partner| {
        let change = Change { event_type, data: [("status", json!(status))] };
        (partner.status != status).then(|| (Partner { status, ..partner.clone() }, change))
    };
    answer(&change(act, set).await?)
}

struct Change {
    event_type: EventType,
    data: [(&'static str, Value); 1],
}

/// Changes a partner to what `make` makes of it, unless it makes nothing: then it is that already.
async fn change(act: &Act<'_>, make: impl Fn(&Partner) -> Option<(Partner, Change)>) -> Result<Partner, Problem> {
    let id = PartnerId::parse(act.request.path("partner_id")).ok_or_else(Problem::not_found)?;
    for _ in 0..TRIES {
        let before = act.app.store.fresh_partner(act.request.attempt(), &id).await?.ok_or_else(Problem::not_found)?;
        let Some((after, Change { event_type, data })) = make(&before) else { return Ok(before) };
        let event = act.event(event_type, id.as_str(), &before.chain, subject(&id), data);
        if act.app.store.change_partner(act.request.attempt(), &before, &after, &event).await? {
            return Ok(after);
        }
    }
    Err(contention())
}

/// Makes a new signing secret; the old one stays live for `grace_hours`.
pub(crate) async fn rotate(act: &Act<'_>) -> Result<Response, Problem> {
    let longest = act.app.policy_for(act.request).limits.rotation_grace_hours_max;
    let mut fields = body::fields(act.request)?;
    let hours = fields.required("grace_hours", fields::whole(0, longest.into()));
    let hours = i64::try_from(fields.finish(hours)?).unwrap_or_default();
    let id = PartnerId::parse(act.request.path("partner_id")).ok_or_else(Problem::not_found)?;
    let now = act.request.now;
    let key_number = act.app.keys.current().ok_or_else(Problem::internal)?;
    for _ in 0..TRIES {
        let before = act.app.store.fresh_partner(act.request.attempt(), &id).await?.ok_or_else(Problem::not_found)?;
        if before.live_secrets(now).count() > 1 {
            return Err(Problem::new(Code::RotationInProgress, "Two secrets are live; wait until the old one ends."));
        }
        let old = *before.secrets.first().ok_or_else(Problem::internal)?;
        let ends_at = now.plus_millis(hours * 3_600_000);
        let new = SecretGeneration { generation: old.generation + 1, key_number, ends_at: None };
        let after =
            Partner { secrets: vec![new, SecretGeneration { ends_at: Some(ends_at), ..old }], ..before.clone() };
        let data = [("old_secret_ends_at", json!(ends_at))];
        let event = act.event(EventType::SecretRotated, id.as_str(), &before.chain, subject(&id), data);
        if act.app.store.change_partner(act.request.attempt(), &before, &after, &event).await? {
            return Response::json(200, &json!({"signing_secret": current_secret(act, &after)?}));
        }
    }
    Err(contention())
}

fn subject(id: &PartnerId) -> Subject {
    Subject { partner_id: Some(id.clone()), ..Subject::default() }
}

fn answer(partner: &Partner) -> Result<Response, Problem> {
    Response::json(200, &json!({"partner": partner.view()}))
}
