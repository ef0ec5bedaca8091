//! Access keys. The text of a key is shown once, and again to whoever repeats the request under the same idempotency key;
//! it is derived, never stored.

use serde_json::{Value, json};
use shared::domain::{
    AccessKey, CallerKind, Chain, EventType, KeyId, PartnerId, PolicyVersion, Principal, Role, Subject, TenantId,
    digest,
};
use shared::http::fields::{self, Fields, Wrong};
use shared::http::{Code, FieldError, Problem, Response, idempotency_key};
use shared::store::{Registered, StoreError};

use crate::body::{fields, name};
use crate::{Act, TRIES, contention};

struct Body {
    principal: Principal,
    roles: Vec<Role>,
    name: String,
}

/// Issues a key → 201 `{key_id, key}`.
pub(crate) async fn issue(act: &Act<'_>) -> Result<Response, Problem> {
    let body = read(act)?;
    check_principal(act, &body.principal).await?;
    let given = idempotency_key(act.request)?;
    let seed = match &given {
        Some(key) => digest("access key by idempotency key", &[act.operator.id.as_bytes(), key.as_bytes()]),
        None => act.app.random.bytes(),
    };
    // A repeat after a rotation of the master key must still find the key that was issued before it.
    let older: Vec<u32> = if given.is_some() { act.app.keys.numbers().skip(1).collect() } else { Vec::new() };
    for number in older {
        let key = act.app.keys.access_key(number, &seed).map_err(StoreError::from)?;
        if let Some(before) = act.app.store.fresh_access_key(act.request.attempt(), &KeyId::of(&key.hash())).await? {
            return again(&before, &body, key.reveal());
        }
    }
    let number = act.app.keys.current().ok_or_else(Problem::internal)?;
    let text = act.app.keys.access_key(number, &seed).map_err(StoreError::from)?;
    let key = AccessKey {
        key_id: KeyId::of(&text.hash()),
        hash: text.hash(),
        principal: body.principal.clone(),
        roles: body.roles.clone(),
        name: body.name.clone(),
        created_at: act.request.now,
        revoked_at: None,
        chain: Chain::default(),
    };
    let data = [("roles", json!(key.roles)), ("name", json!(key.name)), ("principal", key.principal.view())];
    let event = act.event(EventType::KeyIssued, key.key_id.as_str(), &Chain::default(), subject(&key), data);
    match act.app.store.issue_key(act.request.attempt(), &key, &event).await? {
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
pub(crate) async fn revoke(act: &Act<'_>) -> Result<Response, Problem> {
    let id = KeyId::parse(act.request.path("key_id")).ok_or_else(Problem::not_found)?;
    for _ in 0..TRIES {
        let key = act.app.store.fresh_access_key(act.request.attempt(), &id).await?.ok_or_else(Problem::not_found)?;
        let revoked = |at| Response::json(200, &json!({"key_id": id, "revoked_at": at}));
        if let Some(revoked_at) = key.revoked_at {
            return revoked(revoked_at);
        }
        let event = act.event(EventType::KeyRevoked, id.as_str(), &key.chain, subject(&key), []);
        if act.app.store.revoke_key(act.request.attempt(), &key, &event).await? {
            return revoked(act.request.now);
        }
    }
    Err(contention())
}

fn subject(key: &AccessKey) -> Subject {
    let mut subject = Subject { key_id: Some(key.key_id.clone()), ..Subject::default() };
    match &key.principal {
        Principal::Operator => {}
        Principal::Partner(id) => subject.partner_id = Some(id.clone()),
        Principal::Customer(id) => subject.customer_tenant_id = Some(id.clone()),
    }
    subject
}

async fn check_principal(act: &Act<'_>, principal: &Principal) -> Result<(), Problem> {
    let attempt = act.request.attempt();
    let known = match principal {
        Principal::Operator => true,
        Principal::Partner(id) => act.app.store.partner(attempt, id).await?.is_some(),
        Principal::Customer(id) => act.app.store.tenant(attempt, id).await?.is_some(),
    };
    if known { Ok(()) } else { Err(Problem::new(Code::PrincipalUnknown, "No such partner or customer is registered.")) }
}

/// `{principal:{kind,id?},roles,name}`
fn read(act: &Act<'_>) -> Result<Body, Problem> {
    let mut fields = fields(act.request)?;
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
        CallerKind::Customer => fields
            .required("id", fields::text(TenantId::parse, "a lower-case UUID is expected"))
            .map(Principal::Customer),
    }
}

/// Roles, each once; sorted as the vocabulary lists them.
fn read_roles(value: Value) -> Result<Vec<Role>, Wrong> {
    let Value::Array(values) = value else { return Err(Wrong::kind("an array of roles is expected")) };
    if values.len() > Role::ALL.len() {
        return Err(Wrong::range("each role is expected at most once"));
    }
    let mut roles = Vec::with_capacity(values.len());
    for value in values {
        let role = value.as_str().and_then(Role::parse).ok_or_else(|| Wrong::value("one of these is not a role"))?;
        if roles.contains(&role) {
            return Err(Wrong::value("a role is named twice"));
        }
        roles.push(role);
    }
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
