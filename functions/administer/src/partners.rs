//! Partners: enrollment, corrections, suspension, signing secrets.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::{Chain, Corrections, EventType, Partner, PartnerId, PartnerStatus, SecretVersion, Tenant};
use platform::handler::views::{PartnerEnrolledView, PartnerResponse, PartnerView, SigningSecretView};
use platform::handler::{
    Context, CreatedOnce, Found, Json, NoMembers, Operator, OptionalIdempotencyKey, Path, Replayable, Rotation,
    RotationBody,
};
use platform::http_api::{Code, Problem};
use platform::store::{Enrolled, Step, retry_on_change};
use serde_json::{Map, Value, json};

use crate::body::{PartnerBody, PartnerCorrection};

/// New 201, the current details again 200 with the current secret, other details 409.
pub(crate) async fn enroll(
    context: Context,
    caller: Operator,
    Json(PartnerBody(tenant)): Json<PartnerBody>,
) -> Result<CreatedOnce<PartnerEnrolledView>, Problem> {
    let app = &context.app;
    let secret = SecretVersion::first(app.keys.current()?);
    let partner = Partner {
        partner_id: PartnerId::from_tenant(&tenant.tenant_id),
        tenant_id: tenant.tenant_id,
        name: tenant.name,
        domain: tenant.domain,
        cloud: tenant.cloud,
        market: tenant.market,
        status: PartnerStatus::Active,
        status_since: context.now(),
        status_sequence: 1,
        secrets: vec![secret],
        created_at: context.now(),
        chain: Chain::default(),
    };
    let data = [
        ("tenant_id", json!(partner.tenant_id)),
        ("name", json!(partner.name)),
        ("domain", json!(partner.domain)),
        ("cloud", json!(partner.cloud)),
        ("market", json!(partner.market)),
    ];
    let event = partner.event(EventType::PartnerEnrolled, context.occurrence(&caller.actor), data);
    match app.store.enroll(context.op(), &partner, &event).await? {
        Enrolled::New => Ok(CreatedOnce::new(enrolled(&context, &partner)?)),
        Enrolled::AlreadyExists(before) if before.agrees_with(&partner) => {
            Ok(CreatedOnce::replayed(enrolled(&context, &before)?))
        }
        Enrolled::AlreadyExists(_) => {
            let detail = "This tenant is already enrolled with another name, domain, cloud or market. Read the partner, and correct it with `PATCH`.";
            Err(Problem::new(Code::PartnerExists, detail))
        }
        Enrolled::OtherTenant(tenant) => Err(problem_of_tenant(&tenant, &partner)),
    }
}

fn problem_of_tenant(tenant: &Tenant, partner: &Partner) -> Problem {
    if tenant.cloud == partner.cloud {
        Problem::new(Code::MarketMismatch, "The tenant is registered in another market.")
    } else {
        Problem::new(Code::CloudMismatch, "The tenant is registered in another cloud.")
    }
}

fn enrolled(context: &Context, partner: &Partner) -> Result<PartnerEnrolledView, Problem> {
    let signing_secret = current_secret(context, partner)?;
    Ok(PartnerEnrolledView { partner: PartnerView::new(partner), signing_secret })
}

fn current_secret(context: &Context, partner: &Partner) -> Result<String, Problem> {
    let current = partner.secrets.first().ok_or_else(|| Problem::internal("a partner has no signing secret"))?;
    secret_text(context, partner, current)
}

fn secret_text(context: &Context, partner: &Partner, secret: &SecretVersion) -> Result<String, Problem> {
    let keys = &context.app.keys;
    Ok(keys.signing_secret(secret.key_number, &partner.partner_id, secret.version)?.to_whsec())
}

pub(crate) async fn correct(
    context: Context,
    caller: Operator,
    (Path(id), Json(PartnerCorrection(corrections))): (Path<PartnerId>, Json<PartnerCorrection>),
) -> Result<Found<PartnerResponse>, Problem> {
    let corrected = retry_on_change(|| try_correct(&context, &caller, &id, &corrections)).await?;
    Ok(Found(response(&corrected)))
}

async fn try_correct(
    context: &Context,
    caller: &Operator,
    id: &PartnerId,
    corrections: &Corrections,
) -> Result<Step<Partner>, Problem> {
    let store = &context.app.store;
    let before = store.fresh_partner(context.op(), id).await?.ok_or_else(Problem::not_found)?;
    let corrected = corrections.of_partner(&before);
    if corrected.changed.is_empty() {
        return Ok(Step::Done(before));
    }
    if corrected.changes("market") && store.has_relationships(context.op(), id).await? {
        let detail = "The partner has or had a relationship. Its market can no longer be corrected.";
        return Err(Problem::new(Code::CustomerInUse, detail));
    }
    let change = Change { event_type: EventType::PartnerUpdated, data: corrected.changed };
    write(context, caller, &before, corrected.record, change).await
}

/// While a partner is suspended, its own requests and first acceptances of its invitations are rejected.
pub(crate) async fn suspend(
    context: Context,
    caller: Operator,
    (_, Path(id)): (NoMembers, Path<PartnerId>),
) -> Result<Found<PartnerResponse>, Problem> {
    set_status(&context, &caller, &id, PartnerStatus::Suspended, EventType::PartnerSuspended).await
}

pub(crate) async fn resume(
    context: Context,
    caller: Operator,
    (_, Path(id)): (NoMembers, Path<PartnerId>),
) -> Result<Found<PartnerResponse>, Problem> {
    set_status(&context, &caller, &id, PartnerStatus::Active, EventType::PartnerResumed).await
}

async fn set_status(
    context: &Context,
    caller: &Operator,
    id: &PartnerId,
    status: PartnerStatus,
    event_type: EventType,
) -> Result<Found<PartnerResponse>, Problem> {
    let set = |partner: &Partner| {
        let change = Change { event_type, data: data([("status", json!(status))]) };
        Ok((partner.status != status).then(|| (partner.with_status(status, context.now()), change)))
    };
    Ok(Found(response(&change(context, caller, id, set).await?)))
}

/// The old secret remains valid for `grace_hours`. With 0 every older secret ends now. A repeat with the same idempotency key
/// returns the same secret.
pub(crate) async fn rotate(
    context: Context,
    caller: Operator,
    (Path(id), OptionalIdempotencyKey(key), Json(body)): (Path<PartnerId>, OptionalIdempotencyKey, Json<RotationBody>),
) -> Result<Replayable<SigningSecretView>, Problem> {
    let rotation = Rotation::new(&context, &body, key.as_deref())?;
    let is_replay = AtomicBool::new(false);
    let rotate = |partner: &Partner| {
        let secrets = rotation.rotate(&partner.secrets)?;
        is_replay.store(secrets.is_none(), Ordering::Relaxed);
        let data = data([("old_secret_ends_at", json!(rotation.old_ends_at()))]);
        let change = Change { event_type: EventType::SecretRotated, data };
        Ok(secrets.map(|secrets| (Partner { secrets, ..partner.clone() }, change)))
    };
    let rotated = change(&context, &caller, &id, rotate).await?;
    let view =
        SigningSecretView { signing_secret: secret_text(&context, &rotated, &rotation.made(&rotated.secrets)?)? };
    Ok(Replayable::new(view, is_replay.into_inner()))
}

/// The event of a change to a partner.
struct Change {
    event_type: EventType,
    data: Map<String, Value>,
}

fn data<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// Changes a partner to what `make` returns, unless it returns nothing: then the partner is like that already.
async fn change(
    context: &Context,
    caller: &Operator,
    id: &PartnerId,
    make: impl Fn(&Partner) -> Result<Option<(Partner, Change)>, Problem> + Sync,
) -> Result<Partner, Problem> {
    retry_on_change(|| async {
        let store = &context.app.store;
        let before = store.fresh_partner(context.op(), id).await?.ok_or_else(Problem::not_found)?;
        let Some((after, change)) = make(&before)? else { return Ok(Step::Done(before)) };
        write(context, caller, &before, after, change).await
    })
    .await
}

/// Writes a change of a partner, unless the partner has changed since it was read.
async fn write(
    context: &Context,
    caller: &Operator,
    before: &Partner,
    after: Partner,
    Change { event_type, data }: Change,
) -> Result<Step<Partner>, Problem> {
    let mut event = before.event(event_type, context.occurrence(&caller.actor), []);
    event.data = data;
    let is_written = context.app.store.change_partner(context.op(), before, &after, &event).await?;
    Ok(if is_written { Step::Done(after) } else { Step::Changed })
}

fn response(partner: &Partner) -> PartnerResponse {
    PartnerResponse { partner: PartnerView::new(partner) }
}
