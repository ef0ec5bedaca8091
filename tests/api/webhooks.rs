//! Inbound webhooks: signatures, timestamps, replays, and the same rules as for keys.

use std::sync::Arc;

use domain::Timestamp;
use platform::secrets::signature::{SigningSecret, sign};
use serde_json::{Value, json};
use tests::parties::registration;
use tests::{Call, Customer, ManualClock, Partner, World};

/// A webhook that creates an invitation.
fn creation(customer: &Customer, sent_at: &str) -> Vec<u8> {
    let data = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": null});
    json!({"type": "invitation.create", "timestamp": sent_at, "data": data}).to_string().into_bytes()
}

/// A webhook that registers a subscription.
fn registering(id: &str, customer: &Customer) -> Vec<u8> {
    let data = registration(id, customer);
    json!({"type": "subscription.register", "timestamp": "2026-11-22T12:00:00Z", "data": data}).to_string().into_bytes()
}

const SENT: &str = "2026-11-22T12:00:00Z";

#[tokio::test]
async fn a_webhook_creates_an_invitation_with_the_role_sales_agent() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let now = world.now().seconds();
    let body = creation(&customer, SENT);
    let created = world.send(&partner.webhook("/invitations", &world.unique(), now, &body)).await;
    let answer = created.expect(201);
    assert!(!created.replayed());
    let members: Vec<_> = answer.as_object().unwrap().keys().collect();
    assert_eq!(members, ["accept_url", "invitation"]);
    let id = answer["invitation"]["invitation_id"].as_str().unwrap();
    let events = world.items(&partner.call("GET", &format!("/events?subject={id}")), 1).await;
    assert_eq!(
        events[0]["actor"],
        json!({"kind": "webhook", "id": partner.partner_id, "role": "sales_agent", "proof": "signature"})
    );
}

#[tokio::test]
async fn a_webhook_and_a_key_register_the_same_subscription() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let id = world.unique();
    let now = world.now().seconds();
    let webhook = |webhook_id: &str| partner.webhook("/subscriptions", webhook_id, now, &registering(&id, &customer));
    let first = world.send(&webhook("one")).await;
    first.expect(201);
    // The subscription's id is the idempotency key, for all webhook ids and for requests by key.
    for again in [webhook("one"), webhook("two"), partner.register(&registration(&id, &customer))] {
        let answer = world.send(&again).await;
        answer.expect(200);
        assert!(answer.replayed());
        assert_eq!(answer.body, first.body);
    }
    let types = world.event_types(&partner, 5).await;
    assert_eq!(types.iter().filter(|kind| *kind == "subscription.registered").count(), 1);
}

/// Senders sign each attempt again and may change its timestamp. Only the id and the data count.
#[tokio::test]
async fn a_repeated_webhook_gets_the_first_response_byte_for_byte() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let id = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    let sent = async |id: &str, body: &[u8]| {
        world.send(&partner.webhook("/invitations", id, world.now().seconds(), body)).await
    };
    let first = sent(id, &creation(&customer, SENT)).await;
    first.expect(201);
    for later_ms in [0, 1_000, 299_000, 7 * 86_400_000, 8 * 86_400_000] {
        world.clock().advance_millis(later_ms);
        let later = creation(&customer, &world.now().to_string());
        for body in [creation(&customer, SENT), later] {
            let again = sent(id, &body).await;
            again.expect(201);
            assert!(again.replayed());
            assert_eq!(again.body, first.body, "{later_ms}");
        }
    }
    sent(id, &creation(&world.customer().await, SENT)).await.refused(422, "idempotency_key_reused");
    sent("another", &creation(&customer, SENT)).await.refused(409, "invitation_pending");
    assert_eq!(world.event_types(&partner, 3).await[0], "invitation.created");
}

#[tokio::test]
async fn a_timestamp_may_be_at_most_three_hundred_seconds_off() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let body = creation(&customer, SENT);
    let now = world.now().seconds();
    for off in [-301, 301, -100_000, 100_000] {
        let late = world.send(&partner.webhook("/invitations", "a", now + off, &body)).await;
        let problem = late.refused(401, "timestamp_out_of_tolerance");
        assert!(problem["detail"].as_str().unwrap().contains(&now.to_string()), "{problem}");
    }
    for off in [-300, -1, 0, 1, 300] {
        world.send(&partner.webhook("/invitations", "a", now + off, &body)).await.expect(201);
    }
    // The whole last second is valid.
    world.clock().advance_millis(999);
    world.send(&partner.webhook("/invitations", "a", now - 300, &body)).await.expect(201);
    world.clock().advance_millis(1);
    let late = world.send(&partner.webhook("/invitations", "a", now - 300, &body)).await;
    late.refused(401, "timestamp_out_of_tolerance");
}

#[tokio::test]
async fn with_a_clock_at_1970_webhooks_are_checked_against_it() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(0)));
    let Some(world) = World::with_options(|options| options.clock = clock).await else { return };
    let partner = world.partner().await;
    for seconds in [301, 1_649_367_553, 999_999_999_999] {
        let early = world.send(&partner.webhook("/invitations", "a", seconds, b"{}")).await;
        early.refused(401, "timestamp_out_of_tolerance");
    }
    world.send(&partner.webhook("/invitations", "a", 300, b"{}")).await.refused(422, "validation_failed");
}

/// T7.
#[tokio::test]
async fn a_signature_is_valid_for_one_partner_only() {
    let world = World::start().await;
    let (one, two, customer) = (world.partner().await, world.partner().await, world.customer().await);
    let now = world.now().seconds();
    let body = creation(&customer, SENT);
    for (path, secret) in [(&one, &two), (&two, &one)] {
        let forged = Partner { signing_secret: secret.signing_secret.clone(), ..path.clone() };
        world.send(&forged.webhook("/invitations", "a", now, &body)).await.refused(401, "signature_invalid");
        world.send(&forged.webhook("/subscriptions", "a", now, &body)).await.refused(401, "signature_invalid");
    }
    let types = world.event_types(&one, 2).await;
    assert_eq!(types, ["key.issued", "partner.enrolled"]);
}

#[tokio::test]
async fn one_valid_signature_among_several_is_enough() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (now, body) = (world.now().seconds(), creation(&customer, SENT));
    let right = sign(&SigningSecret::parse(&partner.signing_secret).unwrap(), "a", now, &body);
    let other = sign(&SigningSecret::from_bytes(&[9; 32]), "a", now, &body);
    for signature in [
        format!("{right} {other}"),
        format!("{other} {right}"),
        format!("v1a,AAAA {other} v99,x {right}"),
        format!("{}{right}", "v2,AAAA ".repeat(10)),
    ] {
        let mut webhook = partner.webhook("/invitations", "a", now, &body);
        webhook.headers.retain(|(name, _)| name != "webhook-signature");
        world.send(&webhook.header("webhook-signature", signature)).await.expect(201);
    }
}

/// T1.
#[tokio::test]
async fn changing_any_signed_byte_invalidates_a_webhook() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (now, body) = (world.now().seconds(), creation(&customer, SENT));
    let before = world.table().await;
    let whole = partner.webhook("/invitations", "abc", now, &body);
    for (byte, bit) in (0..body.len()).step_by(7).zip([0, 1, 2, 3, 4, 5, 6].into_iter().cycle()) {
        let mut changed = whole.clone();
        changed.body.as_mut().unwrap()[byte] ^= 1 << bit;
        world.send(&changed).await.refused(401, "signature_invalid");
    }
    for (name, _) in whole.headers.iter().filter(|(name, _)| name.starts_with("webhook-")) {
        let length = whole.headers.iter().find(|(known, _)| known == name).unwrap().1.len();
        for at in 0..length {
            let mut changed = whole.clone();
            let value = &mut changed.headers.iter_mut().find(|(known, _)| known == name).unwrap().1;
            let other = if value.as_bytes()[at] == b'1' { "2" } else { "1" };
            value.replace_range(at..=at, other);
            let answer = world.send(&changed).await;
            let codes = ["signature_invalid", "signature_malformed", "timestamp_out_of_tolerance"];
            assert!(answer.status == 401 && codes.contains(&answer.code().as_str()), "{name} {at}");
        }
    }
    assert!(world.table().await == before);
    world.send(&whole).await.expect(201);
}

/// T3.
#[tokio::test]
async fn the_body_is_parsed_only_after_the_signature_is_verified() {
    let world = World::start().await;
    let partner = world.partner().await;
    let now = world.now().seconds();
    for body in [&b"{"[..], b"[]", &[b'['; 60_000], b"{\"a\":1,\"a\":1}", b"nonsense"] {
        let mut forged = partner.webhook("/invitations", "a", now, body);
        forged.headers.retain(|(name, _)| name != "webhook-signature");
        let forged = forged.header("webhook-signature", format!("v1,{}=", "A".repeat(43)));
        world.send(&forged).await.refused(401, "signature_invalid");
    }
    world.send(&partner.webhook("/invitations", "a", now, b"{")).await.refused(400, "json_invalid");
    let other_type = json!({"type": "subscription.register", "timestamp": SENT, "data": {}}).to_string();
    let other = world.send(&partner.webhook("/invitations", "a", now, other_type.as_bytes())).await;
    other.refused(422, "event_type_unknown");
}

/// For example, many systems have their time in milliseconds.
#[tokio::test]
async fn an_error_names_the_signature_header_that_is_wrong_and_its_form() {
    let world = World::start().await;
    let partner = world.partner().await;
    let now = world.now().seconds();
    let right = partner.webhook("/invitations", "a", now, b"{}");
    let millis = format!("{now}000");
    for (name, wrong, form) in [
        ("webhook-timestamp", millis.as_str(), "not milliseconds"),
        ("webhook-timestamp", "2026-11-22T12:00:00Z", "whole seconds"),
        ("webhook-id", "a.b", "1 to 128 of `A-Z a-z 0-9 _ -`"),
        ("webhook-signature", "v1=abc", "`v1,` and a base64 HMAC-SHA256"),
    ] {
        let mut call = right.clone();
        call.headers.retain(|(known, _)| known != name);
        let missing = world.send(&call).await;
        missing.refused(401, "signature_missing");
        let malformed = world.send(&call.header(name, wrong)).await;
        malformed.refused(401, "signature_malformed");
        for (answer, expected) in [(missing, "is missing"), (malformed, form)] {
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.starts_with(&format!("The header `{name}`")) && detail.contains(expected), "{detail}");
        }
    }
}

/// Cheap checks come first. Each of these webhooks has all the faults of the ones after it.
#[tokio::test]
async fn a_webhook_with_several_faults_gets_the_first_error_in_order() {
    let Some(world) = World::with_clock().await else { return };
    let partner = world.partner().await;
    world.suspend(&partner).await;
    let now = world.now().seconds();
    let with = |body: &[u8], headers: &[(&str, &str)]| {
        let path = format!("/v1/webhooks/{}/invitations", partner.partner_id);
        let mut call = Call::new("POST", path).bytes(body);
        for (name, value) in headers {
            call = call.header(name, *value);
        }
        call
    };
    let json = ("content-type", "application/json");
    let (stale, wrong) = ((now - 1_000).to_string(), format!("v1,{}=", "A".repeat(43)));
    let present = now.to_string();
    let large = [b'{'; 65_537];
    for (call, status, code) in [
        (with(b"", &[]), 400, "body_missing"),
        (with(&large[..], &[json]), 413, "body_too_large"),
        (with(b"{", &[]), 415, "media_type_unsupported"),
        (with(b"{", &[json]), 401, "signature_missing"),
        (with(b"{", &[json, ("webhook-id", "a.b"), ("webhook-timestamp", &stale)]), 401, "signature_missing"),
        (
            with(b"{", &[json, ("webhook-id", "a.b"), ("webhook-timestamp", &stale), ("webhook-signature", &wrong)]),
            401,
            "signature_malformed",
        ),
        (
            with(b"{", &[json, ("webhook-id", "a"), ("webhook-timestamp", &stale), ("webhook-signature", &wrong)]),
            401,
            "timestamp_out_of_tolerance",
        ),
        (
            with(b"{", &[json, ("webhook-id", "a"), ("webhook-timestamp", &present), ("webhook-signature", &wrong)]),
            401,
            "signature_invalid",
        ),
        (partner.webhook("/invitations", "a", now, b"{"), 403, "partner_not_active"),
    ] {
        world.send(&call).await.refused(status, code);
    }
}

/// The signed header counts, so the time in the envelope is not even read.
#[tokio::test]
async fn the_envelope_may_have_any_timestamp() {
    let world = World::start().await;
    let partner = world.partner().await;
    for sent_at in [
        json!("1970-01-01T00:00:00Z"),
        json!("9999-12-31T23:59:59.999Z"),
        json!("2026-11-22T12:00:00+99:99"),
        json!("noon"),
        json!(1_795_369_200),
        json!(null),
        json!({}),
    ] {
        let customer = world.customer().await;
        let mut body: Value = serde_json::from_slice(&creation(&customer, SENT)).unwrap();
        body["timestamp"] = sent_at;
        let body = body.to_string().into_bytes();
        let webhook = partner.webhook("/invitations", &world.unique(), world.now().seconds(), &body);
        world.send(&webhook).await.expect(201);
    }
}

/// T2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_parallel_deliveries_create_one_invitation() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let webhook = partner.webhook("/invitations", "many", world.now().seconds(), &creation(&customer, SENT));
    let calls: Vec<Call> = vec![webhook; 100];
    let answers = futures_util::future::join_all(calls.iter().map(|call| world.send(call))).await;
    let bodies: std::collections::BTreeSet<_> = answers.iter().map(|answer| answer.body.clone()).collect();
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    assert_eq!(bodies.len(), 1);
    assert_eq!(answers.iter().filter(|answer| !answer.replayed()).count(), 1);
    assert_eq!(world.event_types(&partner, 3).await[0], "invitation.created");
}

/// MP-37.
#[tokio::test]
async fn webhooks_obey_the_same_rules_as_keys() {
    let world = World::start().await;
    let (partner, other) = (world.partner().await, world.partner().await);
    let (customer, stranger) = (world.customer().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let taken = world.unique();
    world.send(&partner.register(&registration(&taken, &customer))).await.expect(201);
    let now = world.now().seconds();
    let create = |tenant: &str, admin: Value| {
        let data = json!({"customer_tenant_id": tenant, "delegated_admin": admin});
        let body = json!({"type": "invitation.create", "timestamp": SENT, "data": data}).to_string();
        partner.webhook("/invitations", &world.unique(), now, body.as_bytes())
    };
    let register = |id: &str, customer: &Customer, quantity: u64| {
        let mut data = registration(id, customer);
        data["quantity"] = json!(quantity);
        let body = json!({"type": "subscription.register", "timestamp": SENT, "data": data}).to_string();
        partner.webhook("/subscriptions", &world.unique(), now, body.as_bytes())
    };
    for (call, status, code) in [
        (create(&partner.tenant_id, Value::Null), 422, "self_relationship"),
        (create(&other.tenant_id, Value::Null), 403, "customer_is_csp_tenant"),
        (create(&customer.tenant_id, Value::Null), 409, "relationship_active"),
        (create(&world.tenant_id(), Value::Null), 422, "customer_unknown"),
        (register(&taken, &customer, 2), 409, "subscription_exists"),
        (register("new", &stranger, 1), 403, "no_active_relationship"),
    ] {
        world.send(&call).await.refused(status, code);
    }
}
