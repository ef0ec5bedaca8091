//! Managing endpoints.

use serde_json::{Value, json};
use tests::{Call, Receiver, World};

use crate::common::Stage;

#[tokio::test]
async fn an_endpoint_is_created_once_under_an_idempotency_key() {
    let stage = Stage::start().await;
    let body =
        json!({"url": "https://Hooks.Example.com/in", "event_types": ["invitation.accepted"], "description": "CRM"});
    let call = || stage.endpoints("POST", "").json(&body).idempotency_key("k1");
    let first = stage.ask(call()).await;
    let created = first.expect(201);
    assert_eq!(created["endpoint"]["url"], "https://hooks.example.com/in");
    assert_eq!(created["endpoint"]["state"], "pending");
    assert!(created["signing_secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")));
    let again = stage.ask(call()).await;
    assert!(again.replayed() && !first.replayed());
    assert_eq!(again.expect(201), created);
    let other = json!({"url": "https://hooks.example.com/other"});
    stage
        .ask(stage.endpoints("POST", "").json(&other).idempotency_key("k1"))
        .await
        .refused(422, "idempotency_key_reused");
    stage.ask(stage.endpoints("POST", "").json(&body)).await.refused(409, "endpoint_exists");
}

#[tokio::test]
async fn all_spellings_of_an_address_are_one_endpoint() {
    let stage = Stage::start().await;
    let create = |url: &str| stage.ask(stage.endpoints("POST", "").json(&json!({"url": url})));
    create("https://example.com").await.expect(201);
    create("https://example.com/a~b/c").await.expect(201);
    for same in [
        "https://example.com",
        "https://example.com/",
        "https://example.com:443",
        "https://EXAMPLE.com:443/",
        "HTTPS://example.com/",
        "https://example.com?",
        "https://example.com/?",
        "https://example.com/a%7Eb/c",
        "https://example.com/a%7eb/%63",
        "https://Example.com/a~b/c?",
    ] {
        create(same).await.refused(409, "endpoint_exists");
    }
    let other = create("https://example.com/a~b/c/").await.expect(201);
    let path = format!("/{}", other["endpoint"]["endpoint_id"].as_str().expect("an id"));
    let patch = |url: &str| stage.ask(stage.endpoints("PATCH", &path).json(&json!({"url": url})));
    patch("https://example.com/%61~b/c").await.refused(409, "endpoint_exists");
    // Another spelling of its own address is a change, but no duplicate.
    let respelled = patch("https://example.com/%61~b/c/").await.expect(200);
    assert_eq!(respelled["endpoint"]["url"], "https://example.com/%61~b/c/");
    create("https://example.com/a~b/c/").await.refused(409, "endpoint_exists");
    stage.ask(stage.endpoints("DELETE", &path)).await.expect(200);
    create("https://example.com/a~b/c/").await.expect(201);
}

#[tokio::test]
async fn a_repeated_creation_shows_the_state_of_the_endpoint() {
    let stage = Stage::start().await;
    let body = json!({"url": "https://hooks.example.com/in"});
    let create = || stage.ask(stage.endpoints("POST", "").json(&body).idempotency_key("k1"));
    let created = create().await.expect(201);
    let path = format!("/{}", created["endpoint"]["endpoint_id"].as_str().expect("an id"));
    stage.ask(stage.endpoints("PATCH", &path).json(&json!({"state": "disabled"}))).await.expect(200);
    assert_eq!(create().await.expect(201)["endpoint"]["state"], "disabled");
    stage.ask(stage.endpoints("DELETE", &path)).await.expect(200);
    // Repeats are never limited.
    for _ in 0..12 {
        let again = create().await;
        assert!(again.replayed());
        assert_eq!(again.expect(201)["endpoint"]["state"], "deleted");
    }
}

#[tokio::test]
async fn an_owner_has_at_most_ten_endpoints_and_deleting_one_makes_room() {
    let stage = Stage::start().await;
    let create = |n: u32| stage.endpoints("POST", "").json(&json!({"url": format!("https://hooks.example.com/{n}")}));
    let mut ids = Vec::new();
    for n in 0..10 {
        ids.push(stage.ask(create(n)).await.expect(201)["endpoint"]["endpoint_id"].as_str().unwrap().to_owned());
        stage.clock().advance_millis(1_000);
    }
    stage.ask(create(10)).await.refused(409, "endpoint_limit");
    let delete = || stage.endpoints("DELETE", &format!("/{}", ids[3]));
    assert_eq!(stage.ask(delete()).await.expect(200)["endpoint"]["state"], "deleted");
    assert_eq!(
        stage.ask(delete()).await.expect(200)["endpoint"]["state"],
        "deleted",
        "deleting again returns the same"
    );
    stage.ask(stage.endpoints("GET", &format!("/{}", ids[3]))).await.refused(404, "not_found");
    // Ten challenges an hour are permitted.
    stage.clock().advance_millis(3_600_000);
    stage.ask(create(3)).await.expect(201);
    stage.ask(create(11)).await.refused(409, "endpoint_limit");
    let page = stage.ask(stage.endpoints("GET", "?limit=4")).await.expect(200);
    let next = page["next_cursor"].as_str().unwrap();
    let rest = stage.ask(stage.endpoints("GET", &format!("?cursor={next}"))).await.expect(200);
    let listed: Vec<&Value> = [&page, &rest].into_iter().flat_map(|page| page["items"].as_array().unwrap()).collect();
    assert_eq!(listed.len(), 10);
    assert!(listed.windows(2).all(|pair| pair[0]["created_at"].as_str() >= pair[1]["created_at"].as_str()));
}

#[tokio::test]
async fn endpoint_urls_must_be_public_https_addresses() {
    let stage = Stage::start().await;
    for url in [
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://hooks.example.com:9001/",
        "https://user@hooks.example.com/",
        "https://hooks.example.com/#x",
        "https://169.254.169.254/latest/meta-data",
        "http://127.0.0.2:4000/",
        "http://127.0.0.1/",
        "ftp://hooks.example.com/",
        "hooks",
    ] {
        let call = stage.endpoints("POST", "").json(&json!({"url": url}));
        stage.ask(call).await.refused(422, "endpoint_url_forbidden");
    }
    let strict = World::start_here(|_| {}).await;
    let partner = strict.partner().await;
    let call = partner.call("POST", "/endpoints").json(&json!({"url": "http://127.0.0.1:4000/"}));
    strict.send(&call).await.refused(422, "endpoint_url_forbidden");
}

#[tokio::test]
async fn invalid_members_are_reported_with_their_pointers() {
    let stage = Stage::start().await;
    for (body, pointer) in [
        (json!({}), "/url"),
        (json!({"url": 1}), "/url"),
        (json!({"url": "https://a.example.com/", "event_types": []}), "/event_types"),
        (json!({"url": "https://a.example.com/", "event_types": ["x"]}), "/event_types/0"),
        (json!({"url": "https://a.example.com/", "description": "\u{0}"}), "/description"),
        (json!({"url": "https://a.example.com/", "state": "active"}), "/state"),
    ] {
        let answer = stage.ask(stage.endpoints("POST", "").json(&body)).await;
        answer.refused(422, "validation_failed");
        assert_eq!(answer.pointers(), [pointer]);
    }
    let hook = stage.pending(Value::Null).await;
    for (path, body, pointer) in [
        ("resend", json!({}), "/event_id"),
        ("resend", json!({"event_id": "evt_x"}), "/event_id"),
        ("resend", json!({"event_id": 5}), "/event_id"),
        ("resend", json!({"event_id": "x", "since": "2026-11-22T12:00:00Z"}), "/event_id"),
        ("resend", json!({"event_id": "evt_aaaaaaaaaaaaaaaaaaaaaaaaaa", "since": "yesterday"}), "/since"),
        ("resend", json!({"event_id": "evt_aaaaaaaaaaaaaaaaaaaaaaaaaa", "since": "2026-11-22T12:00:00Z"}), "/since"),
        ("resend", json!({"event_id": null, "since": null}), "/event_id"),
        ("resend", json!({"event_id": "evt_aaaaaaaaaaaaaaaaaaaaaaaaaa"}), "/event_id"),
        ("resend", json!({"since": "yesterday"}), "/since"),
        ("rotate", json!({"grace_hours": 25}), "/grace_hours"),
    ] {
        let answer = stage.ask(stage.endpoints("POST", &format!("/{}/{path}", hook.id)).json(&body)).await;
        answer.refused(422, "validation_failed");
        assert_eq!(answer.pointers(), [pointer], "one fault gives one error: {path} {body}");
    }
}

#[tokio::test]
async fn foreign_endpoints_are_not_found() {
    let stage = Stage::start().await;
    let hook = stage.pending(Value::Null).await;
    let other = stage.world.partner().await;
    let customer = stage.world.customer().await;
    let unknown = "ep_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    for (method, rest) in [
        ("GET", ""),
        ("GET", "/deliveries"),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/rotate"),
        ("POST", "/test"),
        ("POST", "/resend"),
    ] {
        let body = match rest {
            "/rotate" => json!({"grace_hours": 1}),
            "/resend" => json!({"since": "2026-11-22T12:00:00Z"}),
            _ => json!({}),
        };
        let call = |id: &str| {
            let call = other.call(method, &format!("/endpoints/{id}{rest}"));
            if method == "GET" { call } else { call.json(&body) }
        };
        let (foreign, missing) = (stage.ask(call(&hook.id)).await, stage.ask(call(unknown)).await);
        foreign.refused(404, "not_found");
        assert_eq!(foreign.looks(), missing.looks(), "{method} {rest}");
    }
    stage
        .ask(Call::get(format!("/v1/partners/{}/endpoints", stage.partner.partner_id)).key(&other.key))
        .await
        .refused(404, "not_found");
    stage
        .ask(Call::get(format!("/v1/partners/{}/endpoints", stage.partner.partner_id)).key(&customer.key))
        .await
        .refused(404, "not_found");
    let seen = stage.world.operator(Call::get(format!("/v1/partners/{}/endpoints", stage.partner.partner_id))).await;
    assert_eq!(seen.expect(200)["items"][0]["endpoint_id"], hook.id.as_str());
}

#[tokio::test]
async fn only_some_roles_manage_endpoints_and_all_can_read_them() {
    let stage = Stage::start().await;
    for (role, status) in [("sales_agent", 201), ("admin_agent", 403), ("billing_admin", 403), ("global_admin", 201)] {
        let key = stage.world.further_key(&stage.partner, &[role]).await;
        let body = json!({"url": format!("https://hooks.example.com/{role}")});
        assert_eq!(stage.ask(key.call("POST", "/endpoints").json(&body)).await.status, status, "{role}");
        stage.ask(key.call("GET", "/endpoints")).await.expect(200);
    }
    let operator = stage.world.operator(Call::post(
        format!("/v1/partners/{}/endpoints", stage.partner.partner_id),
        &json!({"url": "https://hooks.example.com/operator"}),
    ));
    operator.await.refused(403, "role_not_permitted");
}

#[tokio::test]
async fn customers_can_have_endpoints() {
    let stage = Stage::start().await;
    let customer = stage.world.customer().await;
    let receiver = Receiver::start().await;
    let created =
        stage.ask(customer.call("POST", "/endpoints").json(&json!({"url": receiver.url()}))).await.expect(201);
    stage.settle().await;
    stage.world.relate(&stage.partner, &customer).await;
    stage.settle().await;
    let kinds: Vec<String> = receiver.arrived().iter().map(tests::receiver::Arrived::kind).collect();
    assert!(kinds.contains(&"invitation.created".into()) && kinds.contains(&"invitation.accepted".into()), "{kinds:?}");
    let secret = created["signing_secret"].as_str().unwrap();
    assert!(receiver.arrived().iter().all(|arrived| arrived.is_signed_with(secret)));
}

#[tokio::test]
async fn only_a_real_change_writes_an_event() {
    let stage = Stage::start().await;
    let hook = stage.active(Value::Null).await;
    let patch = |body: Value| stage.endpoints("PATCH", &format!("/{}", hook.id)).json(&body);
    for _ in 0..2 {
        let body = json!({"event_types": ["invitation.accepted"], "description": "CRM"});
        let endpoint = stage.ask(patch(body)).await.expect(200)["endpoint"].clone();
        assert_eq!((&endpoint["description"], &endpoint["state"]), (&json!("CRM"), &json!("active")));
    }
    let endpoint = stage.ask(patch(json!({"event_types": null, "description": null}))).await.expect(200);
    assert_eq!(endpoint["endpoint"]["event_types"], Value::Null);
    stage.ask(patch(json!({"state": "disabled"}))).await.expect(200);
    assert_eq!(stage.ask(patch(json!({"state": "active"}))).await.expect(200)["endpoint"]["state"], "pending");
    stage.settle().await;
    assert_eq!(stage.state(&hook).await, "active", "the endpoint is active after another challenge");
    stage.ask(stage.endpoints("DELETE", &format!("/{}", hook.id))).await.expect(200);
    let story = stage.history(&hook).await;
    let kinds: Vec<&str> = story.iter().map(|(kind, _)| kind.as_str()).collect();
    let expected = ["created", "activated", "updated", "updated", "updated", "updated", "activated", "deleted"]
        .map(|kind| format!("endpoint.{kind}"));
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_new_address_must_answer_its_own_challenge() {
    let stage = Stage::start().await;
    let hook = stage.active(Value::Null).await;
    let taken = stage.active(Value::Null).await;
    let elsewhere = Receiver::start().await;
    let patch = |url: &str| stage.endpoints("PATCH", &format!("/{}", hook.id)).json(&json!({"url": url}));
    stage.ask(patch(taken.receiver.url())).await.refused(409, "endpoint_exists");
    stage.ask(patch("https://10.0.0.1/")).await.refused(422, "endpoint_url_forbidden");
    assert_eq!(stage.ask(patch(elsewhere.url())).await.expect(200)["endpoint"]["state"], "pending");
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    assert_eq!(elsewhere.arrived()[0].kind(), "endpoint.challenge");
    assert!(
        elsewhere.arrived().iter().any(|arrived| arrived.id == id),
        "the waiting message is sent to the new address"
    );
    let first = hook.receiver.url().to_owned();
    let body = json!({"url": first});
    stage.ask(stage.endpoints("POST", "").json(&body)).await.expect(201);
}
