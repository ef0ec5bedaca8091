//! Create, accept and register with `lambda_http`, `serde_dynamo` and `aws_config`, as a function in Rust is usually written. It
//! writes the items of Multipartner under the same conditions. It leaves out what only Multipartner has: the state digests that its
//! audit compares, and delegated administration.

mod hashes;
mod items;
mod store;

use hashes::{digest, iso, link_token, now, sha256, shard, short, tail, text};
use items::{Acceptance, Event, Invitation, Partner, Subscription};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};
use serde::Deserialize;
use serde_bytes::ByteBuf;
use serde_json::{Value, json};
use store::{Refused, Store};

const POLICY: u32 = 2;
const DAY_MS: i64 = 86_400_000;
const EXPIRES_MS: i64 = 30 * DAY_MS;
const WRITERS: [&str; 3] = ["global_admin", "user_management_admin", "sales_agent"];

pub enum Failure {
    Problem(u16, &'static str),
    Other(Error),
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

type Outcome<T = Response<Body>> = Result<T, Failure>;

fn problem<T>(status: u16, code: &'static str) -> Outcome<T> {
    Err(Failure::Problem(status, code))
}

pub struct App {
    store: Store,
    link_key: [u8; 32],
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_from_env().await;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&config), std::env::var("TABLE_NAME")?);
    let app = App { store, link_key: hashes::link_key(&std::env::var("MASTER_KEY_1")?) };
    run(service_fn(|request: Request| respond(&app, request))).await
}

async fn respond(app: &App, request: Request) -> Result<Response<Body>, Error> {
    let route = match request.request_context() {
        RequestContext::ApiGatewayV2(context) => context.route_key.unwrap_or_default(),
        _ => String::new(),
    };
    let outcome = match route.as_str() {
        "POST /v1/partners/{partner_id}/invitations" => create(app, &request).await,
        "POST /v1/invitations/{invitation_id}/accept" => accept(app, &request).await,
        "POST /v1/partners/{partner_id}/subscriptions" => register(app, &request).await,
        _ => problem(404, "not_found"),
    };
    match outcome {
        Ok(response) => Ok(response),
        Err(Failure::Problem(status, code)) => {
            let response = Response::builder().status(status).header("content-type", "application/problem+json");
            Ok(response.body(json!({"status": status, "code": code}).to_string().into())?)
        }
        Err(Failure::Other(error)) => Err(error),
    }
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn parameter(request: &Request, name: &str) -> String {
    request.path_parameters().first(name).unwrap_or_default().to_owned()
}

fn body<T: for<'a> Deserialize<'a>>(request: &Request) -> Outcome<T> {
    serde_json::from_slice(request.body().as_ref()).or(problem(422, "validation_failed"))
}

fn check(is_valid: bool) -> Outcome<()> {
    if is_valid { Ok(()) } else { problem(422, "validation_failed") }
}

fn line(text: &str, most: usize) -> Outcome<()> {
    check((1..=most).contains(&text.chars().count()))
}

fn tenant_id(text: &str) -> Outcome<String> {
    let bytes = text.bytes().enumerate();
    let fits =
        |(at, byte): (usize, u8)| if [8, 13, 18, 23].contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    check(text.len() == 36 && bytes.into_iter().all(fits))?;
    Ok(text.to_ascii_lowercase())
}

async fn active_partner(app: &App, id: &str, now: i64) -> Outcome<Partner> {
    match app.store.partner(id, now).await? {
        None => problem(404, "not_found"),
        Some(partner) if partner.status != "active" => problem(403, "partner_not_active"),
        Some(partner) => Ok(partner),
    }
}

/// The partner in the path, by its key, and the actor of events.
async fn calling_partner(app: &App, request: &Request, id: &str, now: i64) -> Outcome<(Partner, String)> {
    let Some(key) = header(request, "authorization").strip_prefix("Bearer ") else {
        return problem(401, "token_missing");
    };
    let hash = sha256(key.as_bytes());
    let key_id = format!("key_{}", tail(&hash));
    let Some(key) = app.store.access_key(&key_id, now).await? else { return problem(401, "key_invalid") };
    if key.key_hash[..] != hash || key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= now) {
        return problem(401, "key_invalid");
    }
    if key.principal != "partner" || key.principal_id.as_deref() != Some(id) {
        return problem(404, "not_found");
    }
    let Some(role) = WRITERS.iter().find(|role| key.key_roles.iter().any(|has| has == *role)) else {
        return problem(403, "role_not_permitted");
    };
    Ok((active_partner(app, id, now).await?, format!("partner#{id}#{role}##{key_id}#key")))
}

/// The event of a record, with its place in the record's chain of hashes.
struct Happened<'a> {
    kind: &'a str,
    aggregate: &'a str,
    sequence: u64,
    before: &'a [u8],
    event_type: &'a str,
    actor: String,
    now: i64,
    data: Value,
    partner: &'a str,
    customer: &'a str,
}

impl Happened<'_> {
    fn item(self) -> Event {
        let Self { kind, aggregate, sequence, before, event_type, actor, now, data, partner, customer } = self;
        let (pk, sk, data) = (format!("EVENTS#{kind}#{aggregate}"), format!("{sequence:010}"), data.to_string());
        let parts: [&[u8]; 7] = [
            before,
            pk.as_bytes(),
            sk.as_bytes(),
            event_type.as_bytes(),
            actor.as_bytes(),
            &now.to_be_bytes(),
            data.as_bytes(),
        ];
        let hash = digest("event", &parts);
        Event {
            v: 1,
            event_type: event_type.to_owned(),
            occurred: now,
            actor,
            policy: POLICY,
            event_data: data,
            event_hash: ByteBuf::from(hash),
            state: ByteBuf::from(&hash[..16]),
            invitation: None,
            subscription: None,
            gsi1pk: format!("PARTNER#{partner}"),
            gsi2pk: format!("CUSTOMER#{customer}"),
            gsi4pk: shard("OPERATOR#EVENT", "operator", &["EVENT", aggregate]),
            listed: format!("EVENT#{}", text(now)),
            gsi3pk: shard("OUTBOX", "outbox", &[&pk, &sk]),
            gsi3sk: text(now),
            pk,
            sk,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    customer_tenant_id: String,
    delegated_admin: Value,
    message: Option<String>,
    contact_email: Option<String>,
    external_reference: Option<String>,
}

async fn create(app: &App, request: &Request) -> Outcome {
    let (now, id_of_partner) = (now(), parameter(request, "partner_id"));
    let (partner, actor) = calling_partner(app, request, &id_of_partner, now).await?;
    let key = header(request, "idempotency-key");
    if key.is_empty() {
        return problem(400, "idempotency_key_missing");
    }
    let body: CreateBody = body(request)?;
    let customer = tenant_id(&body.customer_tenant_id)?;
    check(body.delegated_admin.is_null() && customer != partner.tenant)?;
    for (text, most) in [(&body.message, 1000), (&body.contact_email, 254), (&body.external_reference, 100)] {
        text.as_deref().map_or(Ok(()), |text| line(text, most))?;
    }
    let id = format!("inv_{}", tail(&digest("invitation", &[id_of_partner.as_bytes(), b"key", key.as_bytes()])));
    let (token, expires) = (link_token(&app.link_key, &id), now + EXPIRES_MS);
    let of = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
    let (message, contact) = (of(&body.message), of(&body.contact_email));
    let mut parts: Vec<&[u8]> = vec![customer.as_bytes(), b"", b"", b"", &message, &contact, b""];
    parts.extend(body.external_reference.as_ref().map(String::as_bytes));
    let fingerprint = digest("invitation.create", &parts);
    let happened = Happened {
        kind: "INVITATION",
        aggregate: &id,
        sequence: 1,
        before: &[0; 32],
        event_type: "invitation.created",
        actor,
        now,
        data: json!({"kind": "reseller", "delegated_admin": null, "expires_at": iso(expires)}),
        partner: &id_of_partner,
        customer: &customer,
    };
    let event = Event { invitation: Some(id.clone()), ..happened.item() };
    let mut invitation = Invitation {
        pk: format!("INVITATION#{id}"),
        sk: "INVITATION".into(),
        v: 1,
        kind: "reseller".into(),
        partner_name: partner.name.clone(),
        message: body.message,
        contact_email: body.contact_email,
        external_reference: body.external_reference,
        created: now,
        expires,
        answer: "pending".into(),
        decided: None,
        proof: None,
        version: 1,
        policy: POLICY,
        token_gen: 1,
        key_number: 1,
        token_hash: ByteBuf::from(sha256(token.as_bytes())),
        fingerprint: ByteBuf::from(fingerprint),
        gsi1pk: format!("PARTNER#{id_of_partner}"),
        gsi2pk: format!("CUSTOMER#{customer}"),
        listed: format!("INVITATION#{}", text(now)),
        gsi3pk: Some(shard("DUE", "due", &[&id])),
        gsi3sk: Some(text(expires)),
        event_seq: 1,
        event_hash: event.event_hash.clone(),
    };
    let refused = app.store.create(&invitation, &partner, &customer, &id_of_partner, &id, now, &event).await?;
    let replayed = refused.is_some();
    if let Some(refused) = refused {
        let existing: Option<Invitation> = refused.item_or_read(0, &app.store, &invitation.pk, "INVITATION").await?;
        match existing {
            None => return refused_create(&refused, &partner, now),
            Some(existing) if existing.fingerprint != invitation.fingerprint => {
                return problem(422, "idempotency_key_reused");
            }
            Some(existing) => invitation = existing,
        }
    }
    let mut view = json!({"invitation": view(&invitation, &id, &id_of_partner, &customer, now)});
    if invitation.answer == "pending" {
        view["accept_url"] = json!(format!("https://{}/i/{id}#{token}", header(request, "host")));
    }
    answer(201, &view, replayed, Some(format!("/v1/partners/{id_of_partner}/invitations/{id}")))
}

fn refused_create(refused: &Refused, partner: &Partner, now: i64) -> Outcome {
    refused.check_tenant(1, partner)?;
    let relationship = refused.relationship(2)?;
    match relationship {
        Some(found) if found.relation == "active" => problem(409, "relationship_active"),
        Some(found) if found.open_until.is_some_and(|until| until > now) => problem(409, "invitation_pending"),
        _ => problem(429, "rate_limited"),
    }
}

fn view(invitation: &Invitation, id: &str, partner: &str, customer: &str, now: i64) -> Value {
    let is_expired = invitation.answer == "pending" && invitation.expires <= now;
    json!({
        "invitation_id": id, "kind": invitation.kind, "state": if is_expired { "expired" } else { &invitation.answer },
        "partner_id": partner, "partner_name": invitation.partner_name, "customer_tenant_id": customer, "delegated_admin": null,
        "message": invitation.message, "created_at": iso(invitation.created), "expires_at": iso(invitation.expires),
        "version": invitation.version, "policy_version": invitation.policy,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptBody {
    token: String,
    accepted_by: Option<Person>,
    #[serde(default)]
    delegated_admin: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: String,
    email: String,
    role: String,
}

async fn accept(app: &App, request: &Request) -> Outcome {
    let (now, id) = (now(), parameter(request, "invitation_id"));
    let body: AcceptBody = body(request)?;
    loop {
        if let Some(response) = try_accept(app, &body, &id, now).await? {
            return Ok(response);
        }
    }
}

/// Nothing if the invitation has changed since it was read.
async fn try_accept(app: &App, body: &AcceptBody, id: &str, now: i64) -> Outcome<Option<Response<Body>>> {
    let found: Option<Invitation> = app.store.get(&format!("INVITATION#{id}"), "INVITATION").await?;
    let sent = sha256(body.token.as_bytes());
    let Some(mut invitation) = found.filter(|found| found.token_hash[..] == sent) else {
        return problem(404, "not_found");
    };
    let partner_id = invitation.gsi1pk.trim_start_matches("PARTNER#").to_owned();
    let customer = invitation.gsi2pk.trim_start_matches("CUSTOMER#").to_owned();
    match invitation.answer.as_str() {
        "accepted" if body.delegated_admin.is_null() => {
            return accepted(&invitation, id, &partner_id, &customer, now, true).map(Some);
        }
        "pending" => {}
        _ => return problem(409, "invalid_transition"),
    }
    if invitation.expires <= now || invitation.gsi3sk.is_none() {
        return problem(410, "invitation_expired");
    }
    let Some(Person { name, email, role }) = &body.accepted_by else { return problem(422, "validation_failed") };
    if role != "global_admin" {
        return problem(403, "approver_not_permitted");
    }
    let partner = active_partner(app, &partner_id, now).await?;
    line(name, 100)?;
    line(email, 254)?;
    check(body.delegated_admin.is_null())?;
    let salt: [u8; 16] = rand::random();
    let shown = view(&invitation, id, &partner_id, &customer, now).to_string();
    let data = json!({
        "relationship": {"state": "active", "since": iso(now)}, "grant": null,
        "accepted_by": short(&digest("accepted by", &[&salt, name.as_bytes(), email.as_bytes()])),
        "shown": short(&digest("shown", &[&salt, shown.as_bytes()])),
    });
    let happened = Happened {
        kind: "INVITATION",
        aggregate: id,
        sequence: invitation.event_seq + 1,
        before: &invitation.event_hash,
        event_type: "invitation.accepted",
        actor: format!("link#{id}##global_admin##link"),
        now,
        data,
        partner: &partner_id,
        customer: &customer,
    };
    let event = Event { invitation: Some(id.to_owned()), ..happened.item() };
    let change = Acceptance {
        answer: "accepted",
        decided: now,
        proof: "link",
        version: invitation.version + 1,
        by_name: name.clone(),
        by_email: email.clone(),
        by_salt: ByteBuf::from(salt),
        event_seq: invitation.event_seq + 1,
        event_hash: event.event_hash.clone(),
    };
    let refused = app.store.accept(&invitation, &change, &partner, &customer, &partner_id, id, now, &event).await?;
    if let Some(refused) = refused {
        if refused.failed(0) {
            return Ok(None);
        }
        let relation = refused.relationship(2)?.map(|found| found.relation);
        if relation.as_deref() == Some("ended") {
            return problem(403, "accept_proof_required");
        }
        refused.check_tenant(1, &partner)?;
        return if relation.as_deref() == Some("active") {
            problem(409, "invalid_transition")
        } else {
            problem(410, "invitation_expired")
        };
    }
    invitation.answer = change.answer.into();
    invitation.decided = Some(now);
    invitation.proof = Some(change.proof.into());
    invitation.version = change.version;
    accepted(&invitation, id, &partner_id, &customer, now, false).map(Some)
}

fn accepted(invitation: &Invitation, id: &str, partner: &str, customer: &str, now: i64, replayed: bool) -> Outcome {
    let at = invitation.decided.map(iso);
    let mut view = view(invitation, id, partner, customer, now);
    view["answer"] =
        json!({"decision": "accepted", "decided_at": at, "delegated_admin": null, "proof": invitation.proof});
    let relationship = json!({"partner_id": partner, "customer_tenant_id": customer, "state": "active", "since": at});
    answer(200, &json!({"invitation": view, "relationship": relationship, "grant": null}), replayed, None)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterBody {
    subscription_id: String,
    customer_tenant_id: String,
    service: String,
    offer_id: String,
    quantity: u64,
    billing_cycle: String,
    term: String,
    friendly_name: Option<String>,
    external_reference: Option<String>,
    started_on: Option<String>,
}

async fn register(app: &App, request: &Request) -> Outcome {
    let (now, id_of_partner) = (now(), parameter(request, "partner_id"));
    let (partner, actor) = calling_partner(app, request, &id_of_partner, now).await?;
    let body: RegisterBody = body(request)?;
    let customer = tenant_id(&body.customer_tenant_id)?;
    let id = body.subscription_id;
    line(&id, 64)?;
    check(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) && body.quantity >= 1)?;
    line(&body.service, 100)?;
    line(&body.offer_id, 100)?;
    for text in [&body.friendly_name, &body.external_reference, &body.started_on].into_iter().flatten() {
        line(text, 100)?;
    }
    let cycle = ["one_time", "monthly", "annual", "triennial"].iter().position(|name| *name == body.billing_cycle);
    let term = ["", "P1M", "P1Y", "P3Y"].iter().position(|name| *name == body.term);
    check(cycle.zip(term).is_some_and(|(cycle, term)| cycle <= term))?;
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    let (aggregate, quantity) = (format!("{}#{}", partner.cloud, id.to_ascii_lowercase()), body.quantity.to_string());
    let fields = [
        &id.to_ascii_lowercase(),
        &customer,
        &body.service,
        &body.offer_id,
        &quantity,
        &body.billing_cycle,
        &body.term,
        &of(&body.friendly_name),
        &of(&body.external_reference),
        &of(&body.started_on),
    ];
    let fingerprint = digest("registration", &fields.map(|field| field.as_bytes()));
    let happened = Happened {
        kind: "SUBSCRIPTION",
        aggregate: &aggregate,
        sequence: 1,
        before: &[0; 32],
        event_type: "subscription.registered",
        actor,
        now,
        data: json!({
            "service": body.service, "offer_id": body.offer_id, "quantity": body.quantity, "billing_cycle": body.billing_cycle,
            "term": body.term,
        }),
        partner: &id_of_partner,
        customer: &customer,
    };
    let event = Event { subscription: Some(id.clone()), ..happened.item() };
    let mut subscription = Subscription {
        pk: format!("SUBSCRIPTION#{aggregate}"),
        sk: "SUBSCRIPTION".into(),
        v: 1,
        subscription: id,
        cloud: partner.cloud.clone(),
        service: body.service,
        offer: body.offer_id,
        quantity: body.quantity,
        billing: body.billing_cycle,
        term: body.term,
        friendly_name: body.friendly_name,
        external_reference: body.external_reference,
        started_on: body.started_on,
        registered: now,
        policy: POLICY,
        fingerprint: ByteBuf::from(fingerprint),
        gsi1pk: format!("PARTNER#{id_of_partner}"),
        gsi2pk: format!("CUSTOMER#{customer}"),
        listed: format!("SUBSCRIPTION#{}", text(now)),
        event_seq: 1,
        event_hash: event.event_hash.clone(),
    };
    let refused = app.store.register(&subscription, &customer, &id_of_partner, &event).await?;
    let replayed = refused.is_some();
    if let Some(refused) = refused {
        let existing: Option<Subscription> =
            refused.item_or_read(0, &app.store, &subscription.pk, "SUBSCRIPTION").await?;
        let is_same = |existing: &Subscription| {
            existing.gsi1pk == subscription.gsi1pk && existing.fingerprint == subscription.fingerprint
        };
        match existing.filter(is_same) {
            Some(existing) => subscription = existing,
            None if refused.failed(1) => return problem(403, "no_active_relationship"),
            None if refused.failed(2) => return problem(403, "customer_is_csp_tenant"),
            None => return problem(409, "subscription_exists"),
        }
    }
    let view = json!({
        "subscription_id": subscription.subscription, "customer_tenant_id": customer, "service": subscription.service,
        "offer_id": subscription.offer, "quantity": subscription.quantity, "billing_cycle": subscription.billing,
        "term": subscription.term, "partner_of_record": id_of_partner, "registered_at": iso(subscription.registered),
        "policy_version": subscription.policy,
    });
    let location = format!("/v1/partners/{id_of_partner}/subscriptions/{}", subscription.subscription);
    answer(if replayed { 200 } else { 201 }, &json!({"subscription": view}), replayed, Some(location))
}

fn answer(status: u16, body: &Value, replayed: bool, location: Option<String>) -> Outcome {
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    if replayed {
        response = response.header("idempotent-replayed", "true");
    }
    if let Some(location) = location {
        response = response.header("location", location);
    }
    Ok(response.body(body.to_string().into())?)
}
