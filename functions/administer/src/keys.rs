//! Access keys. A key's text is returned once, and again to a repeat of the request with the same idempotency key. It is
//! derived and never stored.

use domain::{AccessKey, Chain, EventType, KeyId, Principal, digest};
use platform::handler::views::{KeyIssuedView, KeyRevokedView, PrincipalView};
use platform::handler::{Context, Created, Found, Json, NoMembers, Operator, OptionalIdempotencyKey, Path};
use platform::http_api::{Code, InvalidField, Problem};
use platform::store::{Registered, Step, retry_on_change};
use serde_json::json;

use crate::principal::KeyBody;

pub(crate) async fn issue(
    context: Context,
    caller: Operator,
    (OptionalIdempotencyKey(idempotency_key), Json(body)): (OptionalIdempotencyKey, Json<KeyBody>),
) -> Result<Created<KeyIssuedView>, Problem> {
    let app = &context.app;
    check_principal(&context, &body.principal).await?;
    let seed = match &idempotency_key {
        Some(key) => digest("access key by idempotency key", &[caller.actor.id.as_bytes(), key.as_bytes()]),
        None => app.random.bytes(),
    };
    // A repeat after a rotation of the master key must find the key that was issued before it. Only a repeat may have a time
    // that has passed.
    let is_past = body.expires_at.is_some_and(|at| at <= context.now());
    let numbers = app.keys.numbers().skip(usize::from(!is_past));
    let before: Vec<u32> = if idempotency_key.is_some() { numbers.collect() } else { Vec::new() };
    for number in before {
        let text = app.keys.access_key(number, &seed)?;
        if let Some(before) = app.store.fresh_access_key(context.op(), &KeyId::from_hash(&text.hash())).await? {
            return replay(&before, &body, text.expose_secret());
        }
    }
    if is_past {
        let past = InvalidField::range("a time in the future is expected").at("/expires_at");
        return Err(Problem::validation(vec![past]));
    }
    let text = app.keys.access_key(app.keys.current()?, &seed)?;
    let key = AccessKey {
        key_id: KeyId::from_hash(&text.hash()),
        hash: text.hash(),
        principal: body.principal.clone(),
        roles: body.roles.clone(),
        name: body.name.clone(),
        created_at: context.now(),
        expires_at: body.expires_at,
        revoked_at: None,
        chain: Chain::default(),
    };
    let principal = PrincipalView::new(&key.principal);
    let data = [("roles", json!(key.roles)), ("name", json!(key.name)), ("principal", json!(principal))];
    let mut event = key.event(EventType::KeyIssued, context.occurrence(&caller.actor), data);
    event.data.extend(key.expires_at.map(|at| ("expires_at".to_owned(), json!(at))));
    match app.store.issue_key(context.op(), &key, &event).await? {
        Registered::New => Ok(Created::new(issued(&key, text.expose_secret()))),
        Registered::AlreadyExists(before) => replay(&before, &body, text.expose_secret()),
    }
}

fn replay(before: &AccessKey, body: &KeyBody, text: &str) -> Result<Created<KeyIssuedView>, Problem> {
    let is_same = (&before.principal, &before.roles, &before.name, before.expires_at)
        == (&body.principal, &body.roles, &body.name, body.expires_at);
    if !is_same {
        let detail = "This idempotency key was used for an access key with other details. Use a new idempotency key.";
        return Err(Problem::new(Code::IdempotencyKeyReused, detail));
    }
    Ok(Created::replayed(issued(before, text)))
}

fn issued(key: &AccessKey, text: &str) -> KeyIssuedView {
    KeyIssuedView { key_id: key.key_id.clone(), key: text.to_owned(), revoked_at: key.revoked_at }
}

async fn check_principal(context: &Context, principal: &Principal) -> Result<(), Problem> {
    let store = &context.app.store;
    let is_known = match principal {
        Principal::Operator => true,
        Principal::Partner(id) => store.partner(context.op(), id).await?.is_some(),
        Principal::Customer(id) => store.tenant(context.op(), id).await?.is_some(),
    };
    let detail = "The principal is not registered. Register the customer or enroll the partner first.";
    if is_known { Ok(()) } else { Err(Problem::new(Code::PrincipalUnknown, detail)) }
}

pub(crate) async fn revoke(
    context: Context,
    caller: Operator,
    (_, Path(id)): (NoMembers, Path<KeyId>),
) -> Result<Found<KeyRevokedView>, Problem> {
    retry_on_change(|| try_revoke(&context, &caller, &id)).await
}

async fn try_revoke(context: &Context, caller: &Operator, id: &KeyId) -> Result<Step<Found<KeyRevokedView>>, Problem> {
    let store = &context.app.store;
    let key = store.fresh_access_key(context.op(), id).await?.ok_or_else(Problem::not_found)?;
    let revoked = |revoked_at| Ok(Step::Done(Found(KeyRevokedView { key_id: id.clone(), revoked_at })));
    if let Some(revoked_at) = key.revoked_at {
        return revoked(revoked_at);
    }
    let event = key.event(EventType::KeyRevoked, context.occurrence(&caller.actor), []);
    if store.revoke_key(context.op(), &key, &event).await? { revoked(context.now()) } else { Ok(Step::Changed) }
}
