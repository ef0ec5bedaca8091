//! Access keys. The text of a key is shown once, and again to whoever repeats the request under the same idempotency key;
//! it is derived, never stored.

use domain::{
    AccessKey, CallerKind, Chain, EventType, KeyId, PartnerId, PolicyVersion, Principal, PrincipalData, Role, digest,
};
use platform::handler::App;
use platform::http_api::fields::{self, Fields, InvalidField};
use platform::http_api::{Code, FieldError, Problem, Request, Response};
use platform::store::{Registered, StoreError, TRIES};
use serde_json::{Value, json};

use crate::Act;
use crate::body::name;

struct Body {
    principal: Principal,
    roles: Vec<Role>,
    name: String,
}

/// Issues a key → 201 `{key_id, key}`.
pub(crate) async fn issue(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    let given = request.idempotency_key()?;
    let body = read(&act)?;
    check_principal(&act, &body.principal).await?;
    let seed = match &given {
        Some(key) => digest("access key by idempotency key", &[act.operator.id.as_bytes(), key.as_bytes()]),
        None => app.random.bytes(),
    };
    // A repeat after a rotation of the master key must still find the key that was issued before it.
    let older: Vec<u32> = if given.is_some() { app.keys.numbers().skip(1).collect() } else { Vec::new() };
    for number in older {
        let key = app.keys.access_key(number, &seed)?;
        if let Some(before) = app.store.fresh_access_key(request.op(), &KeyId::of(&key.hash())).await? {
            return again(&before, &body, key.reveal());
        }
    }
    let text = app.keys.access_key(app.keys.current()?, &seed)?;
    let key = AccessKey {
        key_id: KeyId::of(&text.hash()),
        hash: text.hash(),
        principal: body.principal.clone(),
        roles: body.roles.clone(),
        name: body.name.clone(),
        created_at: request.now,
        revoked_at: None,
        chain: Chain::default(),
    };
    let data = [
        ("roles", json!(key.roles)),
        ("name", json!(key.name)),
        ("principal", json!(PrincipalData::from(&key.principal))),
    ];
    let event = key.event(EventType::KeyIssued, act.occurrence(), data);
    match app.store.issue_key(request.op(), &key, &event).await? {
        Registered::New => answer(&key.key_id, text.reveal()),
        Registered::Before(before) => again(&before, &body, text.reveal()),
    }
}

fn again(before: &AccessKey, body: &Body, text: &str) -> Result<Response, Problem> {
    if (&before.principal, &before.roles, &before.name) != (&body.principal, &body.roles, &body.name) {
        return Err(Problem::new(Code::IdempotencyKeyReused, "This idempotency key was used for another access key."));
    }
    Ok(answer(&before.key_id, text)?.replayed(true))
}

fn answer(key_id: &KeyId, text: &str) -> Result<Response, Problem> {
    Response::json(201, &json!({"key_id": key_id, "key": text}))
}

/// Revokes a key; it stops working within 30 s.
pub(crate) async fn revoke(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    Fields::of_optional_body(request)?.finish(Some(()))?;
    let id = KeyId::parse(request.path("key_id")).ok_or_else(Problem::not_found)?;
    for _ in 0..TRIES {
        let key = app.store.fresh_access_key(request.op(), &id).await?.ok_or_else(Problem::not_found)?;
        let revoked = |at| Response::json(200, &json!({"key_id": id, "revoked_at": at}));
        if let Some(revoked_at) = key.revoked_at {
            return revoked(revoked_at);
        }
        let event = key.event(EventType::KeyRevoked, act.occurrence(), []);
        if app.store.revoke_key(request.op(), &key, &event).await? {
            return revoked(request.now);
        }
    }
    Err(StoreError::Contention.into())
}

async fn check_principal(act: &Act<'_>, principal: &Principal) -> Result<(), Problem> {
    let attempt = act.request.op();
    let known = match principal {
        Principal::Operator => true,
        Principal::Partner(id) => act.app.store.partner(attempt, id).await?.is_some(),
        Principal::Customer(id) => act.app.store.tenant(attempt, id).await?.is_some(),
    };
    if known { Ok(()) } else { Err(Problem::new(Code::PrincipalUnknown, "No such partner or customer is registered.")) }
}

/// `{principal:{kind,id?},roles,name}`
fn read(act: &Act<'_>) -> Result<Body, Problem> {
    let mut fields = Fields::of_body(act.request)?;
    let principal = fields.object("principal", read_principal);
    let roles = fields.required("roles", read_roles);
    let name = fields.required("name", name(act));
    let read = || Some(Body { principal: principal?, roles: roles?, name: name? });
    let body = fields.finish(read())?;
    check_roles(&body, act.app.policy_for(act.request))?;
    Ok(body)
}

fn read_principal(fields: &mut Fields) -> Option<Principal> {
    let kind = fields.required("kind", fields::text(CallerKind::parse, "partner, customer or operator is expected"))?;
    match kind {
        CallerKind::Operator => Some(Principal::Operator),
        CallerKind::Partner => {
            fields.required("id", fields::text(PartnerId::parse, "a partner id is expected")).map(Principal::Partner)
        }
        CallerKind::Customer => fields.required("id", fields::tenant_id).map(Principal::Customer),
    }
}

/// Roles, each once; sorted as the vocabulary lists them.
fn read_roles(value: Value) -> Result<Vec<Role>, InvalidField> {
    let mut roles = fields::set(Role::parse, Role::ALL.len(), "one of these is not a role")(value)?;
    roles.sort_unstable();
    Ok(roles)
}

/// A partner's key carries one to six roles, a customer's exactly the approver's, an operator's none.
fn check_roles(body: &Body, policy: &PolicyVersion) -> Result<(), Problem> {
    let approver = policy.roles.customer;
    let (fits, detail) = match &body.principal {
        Principal::Operator => (body.roles.is_empty(), "an operator's key carries no role".to_owned()),
        Principal::Partner(_) => (!body.roles.is_empty(), "a partner's key carries at least one role".to_owned()),
        Principal::Customer(_) => (body.roles == [approver], format!("a customer's key carries exactly {approver}")),
    };
    if fits {
        return Ok(());
    }
    Err(Problem::validation(vec![FieldError { pointer: "/roles".into(), code: "value", detail: detail.into() }]))
}
