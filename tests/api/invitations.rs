//! Creating invitations by key: bodies, replays, the order of checks, kinds, clouds, the daily limit.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, key_id, link, preview};
use tests::{Call, Customer, Partner, World};

#[tokio::test]
async fn a_created_invitation_has_exactly_the_members_of_the_contract() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let body = json!({
        "customer_tenant_id": customer.tenant_id, "message": "Hello,\n\tContoso", "contact_email": "Ann+x@Fabrikam.example",
        "external_reference": "Case 4711 / Süd",
        "delegated_admin": {"roles": ["helpdesk_administrator", "directory_readers"], "duration": "P730D"},
        "expires_in_days": 90,
    });
    let answer = world.send(&partner.create(&body).idempotency_key(world.unique())).await;
    let created = answer.expect(201);
    assert!(!answer.replayed());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let invitation = &created["invitation"];
    let (created_at, expires_at) = (&invitation["created_at"], &invitation["expires_at"]);
    let (id, token) = link(&created);
    assert_eq!(
        created,
        json!({
            "accept_url": format!("{}/i/{id}#{token}", world.base_url()),
            "invitation": {
                "invitation_id": id, "kind": "reseller", "state": "pending", "partner_id": partner.partner_id,
                "partner_name": "Northwind", "customer_tenant_id": customer.tenant_id, "message": "Hello,\n\tContoso",
                "contact_email": "Ann+x@fabrikam.example", "external_reference": "Case 4711 / Süd",
                "delegated_admin": {
                    "roles": ["directory_readers", "helpdesk_administrator"], "duration": "P730D", "auto_extend": false,
                },
                "created_at": created_at, "expires_at": expires_at, "version": 1, "policy_version": 2,
            },
        })
    );
    assert!(id.starts_with("inv_") && token.len() == 43);
    if world.here().is_some() {
        assert_eq!((created_at, expires_at), (&json!("2026-11-22T12:00:00.000Z"), &json!("2027-02-20T12:00:00.000Z")));
    }
    assert_eq!(world.event_types(&partner, 3).await, ["invitation.created", "key.issued", "partner.enrolled"]);
}

#[tokio::test]
async fn omitted_members_have_defaults() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let created = world.invite(&partner, &customer, Value::Null).await.expect(201);
    let invitation = &created["invitation"];
    assert_eq!((&invitation["message"], &invitation["delegated_admin"]), (&Value::Null, &Value::Null));
    assert_eq!(invitation["answer"], Value::Null);
    if world.here().is_some() {
        assert_eq!(invitation["expires_at"], "2026-12-22T12:00:00.000Z");
    }
}

#[tokio::test]
async fn the_event_of_a_creation_has_actor_subject_and_policy_version() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let seller = world.further_key(&partner, &["helpdesk_agent", "sales_agent", "user_management_admin"]).await;
    let created = world.invite(&seller, &customer, asking(&["global_reader"], "P1D")).await.expect(201);
    let id = &created["invitation"]["invitation_id"];
    let path = format!("/events?subject={}", id.as_str().unwrap());
    let events = world.items(&partner.call("GET", &path), 1).await;
    let event = &events[0];
    assert!(event["event_id"].as_str().is_some_and(|id| id.starts_with("evt_")));
    assert_eq!((&event["type"], &event["sequence"]), (&json!("invitation.created"), &json!(1)));
    assert_eq!(event["occurred_at"], created["invitation"]["created_at"]);
    let subject = json!({
        "invitation_id": id, "partner_id": partner.partner_id, "customer_tenant_id": customer.tenant_id,
    });
    assert_eq!(event["subject"], subject);
    // The first permitted role in the order of the policy, not of the key.
    let actor = json!({
        "kind": "partner", "id": partner.partner_id, "role": "user_management_admin", "key_id": key_id(&seller.key),
        "proof": "key",
    });
    assert_eq!((&event["actor"], &event["policy_version"]), (&actor, &json!(2)));
    let data = json!({
        "kind": "reseller", "expires_at": created["invitation"]["expires_at"],
        "delegated_admin": created["invitation"]["delegated_admin"],
    });
    assert_eq!(event["data"], data);
}

#[tokio::test]
async fn the_same_idempotency_key_and_content_returns_the_same_bytes_without_a_second_event() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let key = world.unique();
    let body = |roles: [&str; 2], more: Value| {
        let mut body = json!({"customer_tenant_id": customer.tenant_id});
        body["delegated_admin"] = asking(&roles, "P30D");
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let roles = ["user_administrator", "global_reader"];
    let first = world.send(&partner.create(&body(roles, json!({}))).idempotency_key(&key)).await;
    first.expect(201);
    assert!(!first.replayed());
    let spelled_out =
        json!({"message": null, "contact_email": null, "external_reference": null, "expires_in_days": null});
    for again in [body(roles, json!({})), body(["global_reader", "user_administrator"], spelled_out)] {
        let answer = world.send(&partner.create(&again).idempotency_key(&key)).await;
        answer.expect(201);
        assert!(answer.replayed());
        assert_eq!(answer.body, first.body);
    }
    assert_eq!(world.event_types(&partner, 3).await[0], "invitation.created");
}

#[tokio::test]
async fn quotes_are_part_of_an_idempotency_key() {
    let world = World::start().await;
    let partner = world.partner().await;
    let key = world.unique();
    let mut ids = BTreeSet::new();
    for key in [key.clone(), format!("\"{key}\""), format!("\"{key}"), format!("{key}\"")] {
        let create = partner.asks(&world.customer().await, &Value::Null, &key);
        let created = world.send(&create).await;
        ids.insert(link(&created.expect(201)).0);
        let again = world.send(&create).await;
        assert!(!created.replayed() && again.replayed(), "{key}");
    }
    assert_eq!(ids.len(), 4, "each is a different key");
    for key in ["\"", "\"\""] {
        world.send(&partner.asks(&world.customer().await, &Value::Null, key)).await.expect(201);
    }
}

#[tokio::test]
async fn a_replay_returns_the_current_invitation_and_its_current_link_while_pending() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let create = partner.asks(&customer, &Value::Null, &world.unique());
    let (id, first_token) = link(&world.send(&create).await.expect(201));
    let renewed = world.send(&partner.renew(&id)).await.expect(200);
    let replay = world.send(&create).await;
    assert_eq!(replay.expect(201), renewed);
    let (_, token) = link(&renewed);
    assert_ne!(token, first_token);
    world.send(&accept_by_link(&id, &token, &Value::Null)).await.expect(200);
    let replay = world.send(&create).await;
    let answer = replay.expect(201);
    assert!(replay.replayed());
    assert_eq!((&answer["invitation"]["state"], &answer["accept_url"]), (&json!("accepted"), &Value::Null));
}

#[tokio::test]
async fn the_same_idempotency_key_with_different_content_is_always_rejected() {
    let world = World::start().await;
    let (partner, customer, other) = (world.partner().await, world.customer().await, world.customer().await);
    let key = world.unique();
    let body = json!({
        "customer_tenant_id": customer.tenant_id, "delegated_admin": asking(&["global_reader"], "P30D"),
        "message": "Hello", "contact_email": "ann@fabrikam.example", "external_reference": "4711", "expires_in_days": 10,
    });
    let created = world.send(&partner.create(&body).idempotency_key(&key)).await.expect(201);
    let changes = [
        ("/customer_tenant_id", json!(other.tenant_id)),
        ("/customer_tenant_id", json!(world.tenant_id())),
        ("/delegated_admin", Value::Null),
        ("/delegated_admin/roles", json!(["directory_readers"])),
        ("/delegated_admin/roles", json!(["directory_readers", "global_reader"])),
        ("/delegated_admin/duration", json!("P31D")),
        ("/message", json!("hello")),
        ("/message", Value::Null),
        ("/contact_email", json!("ann@contoso.example")),
        ("/external_reference", json!("4712")),
        ("/external_reference", Value::Null),
        ("/expires_in_days", json!(11)),
        ("/expires_in_days", Value::Null),
    ];
    let refused = async || {
        for (pointer, value) in &changes {
            let mut other = body.clone();
            *other.pointer_mut(pointer).unwrap() = value.clone();
            let answer = world.send(&partner.create(&other).idempotency_key(&key)).await;
            answer.refused(422, "idempotency_key_reused");
        }
    };
    refused().await;
    let (id, _) = link(&created);
    let cancelled = world.send(&partner.cancel(&id)).await.expect(200);
    refused().await;
    // The replay of a cancelled invitation says so, and has no link.
    let replay = world.send(&partner.create(&body).idempotency_key(&key)).await;
    assert_eq!((replay.expect(201), replay.replayed()), (cancelled.clone(), true));
    assert_eq!(cancelled["invitation"]["state"], "cancelled");
    assert_eq!(world.event_types(&partner, 4).await[..2], ["invitation.cancelled", "invitation.created"]);
}

#[tokio::test]
async fn idempotency_keys_are_separate_per_partner_and_channel() {
    let world = World::start().await;
    let (one, two) = (world.partner().await, world.partner().await);
    let (customer, other) = (world.customer().await, world.customer().await);
    let key = world.unique();
    let first = world.send(&one.asks(&customer, &Value::Null, &key)).await.expect(201);
    let second = world.send(&two.asks(&customer, &Value::Null, &key)).await.expect(201);
    let data = json!({"customer_tenant_id": other.tenant_id, "delegated_admin": null});
    let envelope = json!({"type": "invitation.create", "timestamp": "2026-11-22T12:00:00Z", "data": data}).to_string();
    let webhook = one.webhook("/invitations", &key, world.now().seconds(), envelope.as_bytes());
    let third = world.send(&webhook).await.expect(201);
    let ids = [&first, &second, &third].map(|created| created["invitation"]["invitation_id"].to_string());
    assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2]);
}

/// Every request has several faults. The response has the first one in order.
#[tokio::test]
async fn a_creation_with_several_faults_gets_the_first_error_in_order() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, suspended) = (world.partner().await, world.partner().await);
    let helpdesk = world.further_key(&suspended, &["helpdesk_agent"]).await;
    world.suspend(&suspended).await;
    let customer = world.customer().await;
    let wrong = json!({"customer_tenant_id": "x", "nope": 1});
    let path = |partner: &Partner| format!("/v1/partners/{}/invitations", partner.partner_id);
    let text = |key: &str, partner: &Partner| {
        Call::new("POST", path(partner)).key(key).bytes("{").header("content-type", "text/plain")
    };
    for (call, status, code) in [
        (text("mpk_x", &partner), 401, "key_invalid"),
        (text(&customer.key, &partner), 404, "not_found"),
        (text(&partner.key, &suspended), 404, "not_found"),
        (text(&helpdesk.key, &suspended), 403, "role_not_permitted"),
        (text(&suspended.key, &suspended), 403, "partner_not_active"),
        (text(&partner.key, &partner), 400, "idempotency_key_missing"),
        (text(&partner.key, &partner).idempotency_key("a b"), 400, "idempotency_key_invalid"),
        (text(&partner.key, &partner).idempotency_key("a"), 415, "media_type_unsupported"),
        (partner.create(&wrong).bytes("").idempotency_key("a"), 400, "body_missing"),
        (partner.create(&wrong).bytes("{").idempotency_key("a"), 400, "json_invalid"),
        (partner.create(&wrong).idempotency_key("a"), 422, "validation_failed"),
    ] {
        world.send(&call).await.refused(status, code);
    }
    let every = world.send(&partner.create(&wrong).idempotency_key("a")).await;
    assert_eq!(every.pointers(), ["/customer_tenant_id", "/delegated_admin", "/nope"]);
}

#[tokio::test]
async fn tenant_then_relationship_then_open_invitation_then_limit_are_checked() {
    let Some(world) = World::with_clock().await else { return };
    let partner = world.partner().await;
    let refused = async |customer: &Customer, asked: &Value, status, code: &str| {
        world.send(&partner.asks(customer, asked, &world.unique())).await.refused(status, code)
    };
    let roles = asking(&["global_reader"], "P1D");

    // CSP tenants are checked first, then the cloud, then the market.
    let (csp, elsewhere) = (world.customer_in("us_gov", "FR").await, world.customer_in("us_gov", "FR").await);
    world.enrol(&csp, "us_gov", "FR").await;
    refused(&csp, &roles, 403, "customer_is_csp_tenant").await;
    refused(&elsewhere, &roles, 422, "cloud_mismatch").await;
    refused(&world.customer_in("public", "FR").await, &roles, 422, "market_mismatch").await;

    // The limit is reached, but the open invitation is checked first.
    let customer = world.customer().await;
    for _ in 0..4 {
        let (id, _) = world.open(&partner, &customer, Value::Null).await;
        world.send(&partner.cancel(&id)).await.expect(200);
    }
    let (id, token) = world.open(&partner, &customer, Value::Null).await;
    let pending = refused(&customer, &Value::Null, 409, "invitation_pending").await;
    assert_eq!(pending["invitation_id"], json!(id));
    // In an active relationship: without roles the relationship is the error, with roles the limit.
    world.send(&accept_by_link(&id, &token, &Value::Null)).await.expect(200);
    refused(&customer, &Value::Null, 409, "relationship_active").await;
    refused(&customer, &roles, 429, "rate_limited").await;
    // The tenant is checked before the others.
    world.enrol(&customer, "public", "US").await;
    refused(&customer, &Value::Null, 403, "customer_is_csp_tenant").await;
    refused(&customer, &roles, 403, "customer_is_csp_tenant").await;
}

#[tokio::test]
async fn five_invitations_per_customer_are_allowed_each_utc_day() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, other, customer) = (world.partner().await, world.partner().await, world.customer().await);
    let ask = || partner.asks(&customer, &Value::Null, &world.unique());
    let first = ask();
    for call in [first.clone(), ask(), ask(), ask(), ask()] {
        let (id, _) = link(&world.send(&call).await.expect(201));
        // Renewals do not count as invitations.
        world.send(&partner.renew(&id)).await.expect(200);
        world.send(&partner.cancel(&id)).await.expect(200);
    }
    let events = world.event_types(&partner, 17).await;
    let over = world.send(&ask()).await;
    let refused = over.refused(429, "rate_limited");
    assert_eq!(over.header("retry-after"), Some("43200"));
    assert_eq!(
        refused["detail"],
        "The limit of 5 invitations per customer and UTC day is reached. The next one is possible from \
         2026-11-23T00:00:00.000Z."
    );
    assert!(world.send(&first).await.replayed());
    assert_eq!(world.event_types(&partner, 17).await, events);
    world.open(&other, &customer, Value::Null).await;
    world.open(&partner, &world.customer().await, Value::Null).await;

    world.clock().advance_millis(12 * 3_600_000 - 1);
    let over = world.send(&ask()).await;
    over.refused(429, "rate_limited");
    assert_eq!(over.header("retry-after"), Some("1"));
    world.clock().advance_millis(1);
    for _ in 0..5 {
        let (id, _) = link(&world.send(&ask()).await.expect(201));
        world.send(&partner.cancel(&id)).await.expect(200);
    }
    let over = world.send(&ask()).await;
    over.refused(429, "rate_limited");
    assert_eq!(over.header("retry-after"), Some("86400"));
    // Also after more than a week without invitations.
    world.clock().advance_days(40);
    world.send(&ask()).await.expect(201);
}

/// Every renewal is an event that is sent to the customer, so a partner must not make them at will.
#[tokio::test]
async fn twenty_renewals_per_customer_are_allowed_each_utc_day() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, other, customer) = (world.partner().await, world.partner().await, world.customer().await);
    let renews = async |partner: &Partner, id: &str, count: usize| {
        for _ in 0..count {
            world.send(&partner.renew(id)).await.expect(200);
        }
    };
    // All invitations of the pair count together.
    let (first, _) = world.open(&partner, &customer, Value::Null).await;
    renews(&partner, &first, 12).await;
    world.send(&partner.cancel(&first)).await.expect(200);
    let (second, _) = world.open(&partner, &customer, Value::Null).await;
    renews(&partner, &second, 7).await;
    let (_, token) = link(&world.send(&partner.renew(&second)).await.expect(200));
    let events = world.event_types(&partner, 25).await;
    let over = world.send(&partner.renew(&second).json(&json!({"expires_in_days": 5}))).await;
    let refused = over.refused(429, "rate_limited");
    assert_eq!(over.header("retry-after"), Some("43200"));
    assert_eq!(
        refused["detail"],
        "The limit of 20 renewals per customer and UTC day is reached. The next one is possible from \
         2026-11-23T00:00:00.000Z."
    );
    assert_eq!(world.event_types(&partner, 25).await, events);
    world.send(&preview(&second, &token)).await.expect(200);
    // Other pairs have limits of their own.
    let (others, _) = world.open(&other, &customer, Value::Null).await;
    renews(&other, &others, 1).await;
    let (more, _) = world.open(&partner, &world.customer().await, Value::Null).await;
    renews(&partner, &more, 1).await;

    world.clock().advance_millis(12 * 3_600_000 - 1);
    let over = world.send(&partner.renew(&second)).await;
    over.refused(429, "rate_limited");
    assert_eq!(over.header("retry-after"), Some("1"));
    world.clock().advance_millis(1);
    renews(&partner, &second, 20).await;
    world.send(&partner.renew(&second)).await.refused(429, "rate_limited");
    // What else would reject the renewal is reported first.
    world.send(&customer.accept_version(&second, 29, &Value::Null)).await.expect(200);
    world.send(&partner.renew(&second)).await.refused(409, "invalid_transition");
}

#[tokio::test]
async fn renewing_never_shortens_an_invitation_unless_it_says_so() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let body = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": null, "expires_in_days": 90});
    let create = partner.create(&body).idempotency_key(world.unique());
    let (id, _) = link(&world.send(&create).await.expect(201));
    let expires = async |call: Call| {
        let renewed = world.send(&call).await.expect(200);
        renewed["invitation"]["expires_at"].as_str().unwrap().to_owned()
    };
    let bodies = [
        partner.renew(&id),
        partner.renew(&id).json(&json!({})),
        partner.renew(&id).json(&json!({"expires_in_days": null})),
    ];
    for call in bodies {
        assert_eq!(expires(call).await, "2027-02-20T12:00:00.000Z");
    }
    // From the 61st day on, the default is later.
    world.clock().advance_days(60);
    assert_eq!(expires(partner.renew(&id)).await, "2027-02-20T12:00:00.000Z");
    world.clock().advance_days(1);
    assert_eq!(expires(partner.renew(&id)).await, "2027-02-21T12:00:00.000Z");
    assert_eq!(expires(partner.renew(&id).json(&json!({"expires_in_days": 1}))).await, "2027-01-23T12:00:00.000Z");
    world.clock().advance_days(100);
    assert_eq!(expires(partner.renew(&id)).await, "2027-06-01T12:00:00.000Z");
}

/// What is absent stays, and `null` removes it.
#[tokio::test]
async fn renewing_can_change_the_message_and_the_roles() {
    let Some(world) = World::with_links().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let asked = asking(&["global_reader"], "P30D");
    let body = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": asked, "message": "Hello"});
    let create = partner.create(&body).idempotency_key(world.unique());
    let created = world.send(&create).await.expect(201);
    let (id, mut token) = link(&created);
    let of_three = json!({"roles": ["directory_readers", "global_reader", "user_administrator"], "duration": "P90D", "auto_extend": true});
    let first = created["invitation"]["delegated_admin"].clone();
    let steps = [
        (json!({}), json!("Hello"), first.clone()),
        (json!({"message": "Hello again"}), json!("Hello again"), first.clone()),
        (json!({"delegated_admin": of_three}), json!("Hello again"), of_three.clone()),
        (json!({"message": null}), Value::Null, of_three.clone()),
        (json!({"delegated_admin": null, "message": "Without roles"}), json!("Without roles"), Value::Null),
        (json!({"expires_in_days": 3}), json!("Without roles"), Value::Null),
        (json!({"delegated_admin": asked}), json!("Without roles"), first),
    ];
    for (number, (change, message, roles)) in steps.iter().enumerate() {
        let renewed = world.send(&partner.renew(&id).json(change)).await.expect(200);
        let invitation = &renewed["invitation"];
        assert_eq!((&invitation["message"], &invitation["delegated_admin"]), (message, roles), "{change}");
        assert_eq!(invitation["version"], json!(number + 2));
        // What the old link showed can't be accepted any more.
        world.send(&preview(&id, &token)).await.refused(404, "not_found");
        world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.refused(404, "not_found");
        token = link(&renewed).1;
        let shown = world.send(&preview(&id, &token)).await.expect(200);
        assert_eq!((&shown["invitation"]["message"], &shown["invitation"]["delegated_admin"]), (message, roles));
        let replay = world.send(&create).await;
        assert_eq!((replay.expect(201), replay.replayed()), (renewed, true));
    }
    let events = world.items(&partner.call("GET", &format!("/events?subject={id}")), 8).await;
    let renewals: Vec<_> = events.iter().filter(|event| event["type"] == "invitation.renewed").collect();
    assert_eq!(renewals.len(), 7);
    for event in renewals {
        let members: Vec<_> = event["data"].as_object().unwrap().keys().collect();
        assert_eq!(members, ["delegated_admin", "expires_at"], "no message, because events are never erased");
    }
    let accepted = world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.expect(200);
    assert_eq!(accepted["grant"]["roles"], json!(["global_reader"]));
}

#[tokio::test]
async fn a_renewal_cannot_remove_roles_that_the_cloud_or_the_kind_requires() {
    let world = World::start().await;
    let (gov, gov_customer) = (world.partner_in("us_gov", "US").await, world.customer_in("us_gov", "US").await);
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    for (partner, customer) in [(&gov, &gov_customer), (&partner, &customer)] {
        let (id, token) = world.open(partner, customer, asking(&["global_reader"], "P30D")).await;
        let removes = partner.renew(&id).json(&json!({"delegated_admin": null}));
        world.send(&removes).await.refused(422, "delegated_admin_required");
        world.send(&preview(&id, &token)).await.expect(200);
        let other = partner.renew(&id).json(&json!({"delegated_admin": asking(&["directory_readers"], "P1D")}));
        let renewed = world.send(&other).await.expect(200);
        assert_eq!(renewed["invitation"]["delegated_admin"]["roles"], json!(["directory_readers"]));
        world.send(&partner.cancel(&id)).await.expect(200);
        world.send(&removes).await.refused(409, "invalid_transition");
    }
}

/// The contact and the reference are the partner's own notes.
#[tokio::test]
async fn the_contact_and_the_reference_are_shown_only_to_the_partner_and_the_operator() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let body = json!({
        "customer_tenant_id": customer.tenant_id, "delegated_admin": null, "contact_email": "ann@contoso.example",
        "external_reference": "4711-x",
    });
    let created = world.send(&partner.create(&body).idempotency_key(world.unique())).await.expect(201);
    let (id, _) = link(&created);
    let renewed = world.send(&partner.renew(&id)).await.expect(200);
    let (_, token) = link(&renewed);
    let operators = |path: String| Call::get(path).key(world.operator_key());
    let own = world.send(&partner.call("GET", &format!("/invitations/{id}"))).await.expect(200);
    let mut shown = vec![created["invitation"].clone(), renewed["invitation"].clone(), own["invitation"].clone()];
    shown.extend(world.items(&partner.call("GET", "/invitations"), 1).await);
    shown.extend(world.items(&operators(format!("/v1/partners/{}/invitations", partner.partner_id)), 1).await);
    shown.extend(world.items(&operators(format!("/v1/customers/{}/invitations", customer.tenant_id)), 1).await);
    for invitation in shown {
        let notes = (&invitation["contact_email"], &invitation["external_reference"]);
        assert_eq!(notes, (&json!("ann@contoso.example"), &json!("4711-x")));
    }
    let mut hidden = vec![
        world.send(&preview(&id, &token)).await.expect(200),
        world.send(&accept_by_link(&id, &token, &Value::Null)).await.expect(200),
        world.send(&customer.accept(&id, &Value::Null)).await.expect(200),
    ];
    hidden.extend(world.items(&customer.call("GET", "/invitations"), 1).await);
    hidden.extend(world.items(&operators(format!("/v1/events?subject={id}")), 3).await);
    for seen in hidden {
        let text = seen.to_string();
        let has_note = ["contact_email", "external_reference", "ann@", "4711-x"].iter().any(|note| text.contains(note));
        assert!(!has_note, "{text}");
    }
}

#[tokio::test]
async fn an_expired_invitation_does_not_block_a_new_one() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, _) = world.open(&partner, &customer, Value::Null).await;
    world.clock().advance_millis(30 * 86_400_000 - 1);
    let pending = world.invite(&partner, &customer, Value::Null).await.refused(409, "invitation_pending");
    assert_eq!(pending["invitation_id"], json!(id));
    world.clock().advance_millis(1);
    world.invite(&partner, &customer, Value::Null).await.expect(201);
}

#[tokio::test]
async fn in_an_active_relationship_a_request_for_roles_has_the_kind_grant() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let key = world.unique();
    let asked = asking(&["global_reader"], "P10D");
    let created = world.send(&partner.asks(&customer, &asked, &key)).await.expect(201);
    assert_eq!(created["invitation"]["kind"], "grant");
    world.invite(&partner, &customer, asked.clone()).await.refused(409, "invitation_pending");
    let (id, token) = link(&created);
    let shown = world.send(&preview(&id, &token)).await.expect(200);
    assert_eq!(shown["requires_delegated_admin"], true);
    let accepted = world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
    assert_eq!(accepted["grant"]["grant_id"], json!(id.replace("inv_", "grt_")));
    // A relationship may have several grants.
    let (id, _) = world.open(&partner, &customer, asked).await;
    world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
    let rows = world.items(&customer.call("GET", "/partners"), 1).await;
    assert_eq!(rows[0]["grants"].as_array().map(Vec::len), Some(2));
    world.invite(&partner, &customer, Value::Null).await.refused(409, "relationship_active");
}

#[tokio::test]
async fn after_a_relationship_ends_the_partner_can_invite_again() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    world.send(&customer.end(&partner)).await.expect(200);
    world.tick();
    let created = world.invite(&partner, &customer, asking(&["global_reader"], "P10D")).await.expect(201);
    assert_eq!(created["invitation"]["kind"], "reseller");
    let (id, _) = link(&created);
    let accepted = world.send(&customer.accept(&id, &json!("refused"))).await.expect(200);
    assert_eq!((&accepted["relationship"]["state"], &accepted["grant"]), (&json!("active"), &Value::Null));
    let rows = world.items(&customer.call("GET", "/partners"), 1).await;
    assert_eq!((&rows[0]["state"], &rows[0]["ended_at"]), (&json!("active"), &Value::Null));
}

/// MP-01, MP-02, MP-14.
#[tokio::test]
async fn in_us_gov_an_invitation_must_request_delegated_administration() {
    let world = World::start().await;
    let (partner, customer) = (world.partner_in("us_gov", "US").await, world.customer_in("us_gov", "US").await);
    world.invite(&partner, &customer, Value::Null).await.refused(422, "delegated_admin_required");
    let (id, token) = world.open(&partner, &customer, asking(&["global_reader", "security_reader"], "P10D")).await;
    let shown = world.send(&preview(&id, &token)).await.expect(200);
    assert_eq!((&shown["requires_delegated_admin"], &shown["partner"]["cloud"]), (&json!(true), &json!("us_gov")));
    let refused = accept_by_link(&id, &token, &json!("refused"));
    world.send(&refused).await.refused(422, "delegated_admin_required");
    world.send(&customer.accept(&id, &asking(&["global_reader"], "P1D"))).await.expect(200);
    let public = world.customer().await;
    let asked = asking(&["global_reader"], "P1D");
    world.invite(&partner, &public, asked).await.refused(422, "cloud_mismatch");
}

/// MP-01.
#[tokio::test]
async fn nothing_new_can_start_in_a_cloud_that_the_policy_denies() {
    let Some(world) = World::with_policy(|file| {
        let mut later = file["versions"][0].clone();
        later["version"] = json!(2);
        later["effective_from"] = json!("2026-11-23T00:00:00.000Z");
        later["clouds"]["us_gov"]["multi_partner"] = json!("denied");
        file["versions"].as_array_mut().unwrap().push(later);
    })
    .await
    else {
        return;
    };
    let (partner, customer) = (world.partner_in("us_gov", "US").await, world.customer_in("us_gov", "US").await);
    let (public, public_customer) = (world.partner().await, world.customer().await);
    let asked = asking(&["global_reader"], "P10D");
    let (id, token) = world.open(&partner, &customer, asked.clone()).await;
    let accepted = world.send(&accept_by_link(&id, &token, &json!("refused"))).await;
    accepted.refused(422, "delegated_admin_required");
    world.clock().advance_days(1);
    let registration = tests::parties::registration("a", &customer);
    for call in [
        partner.asks(&world.customer_in("us_gov", "US").await, &asked, "k"),
        accept_by_link(&id, &token, &json!("as_requested")),
        customer.accept(&id, &json!("as_requested")),
        partner.renew(&id),
        partner.register(&registration),
    ] {
        world.send(&call).await.refused(403, "cloud_not_supported");
    }
    // Previews, declining and other clouds still work.
    world.send(&preview(&id, &token)).await.expect(200);
    world.send(&customer.decline(&id)).await.expect(200);
    world.relate(&public, &public_customer).await;
}

/// MP-40, MP-41, MP-42, MP-44: a CSP tenant can't be a customer. Other tenants of its company can.
#[tokio::test]
async fn only_the_csp_tenant_is_rejected_as_customer() {
    let world = World::start().await;
    let (partner, seller) = (world.partner().await, world.partner().await);
    let asked = |tenant: &str| {
        let body = json!({"customer_tenant_id": tenant, "delegated_admin": null});
        partner.create(&body).idempotency_key(world.unique())
    };
    world.send(&asked(&seller.tenant_id)).await.refused(403, "customer_is_csp_tenant");
    world.send(&asked(&partner.tenant_id)).await.refused(422, "self_relationship");
    world.send(&asked(&world.tenant_id())).await.refused(422, "customer_unknown");
    let corporate = world.tenant_id();
    let body = json!({"tenant_id": corporate, "name": "Northwind", "cloud": "public", "market": "US"});
    world.operator(Call::post("/v1/customers", &body)).await.expect(201);
    world.send(&asked(&corporate)).await.expect(201);
}

/// MP-50.
#[tokio::test]
async fn a_policy_can_allow_csp_tenants_as_customers() {
    let Some(world) = World::with_policy(|file| {
        file["versions"][0]["clouds"]["public"]["csp_tenant_as_customer"] = json!("allowed");
    })
    .await
    else {
        return;
    };
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.enrol(&customer, "public", "US").await;
    world.relate(&partner, &customer).await;
    let registration = tests::parties::registration("a", &customer);
    world.send(&partner.register(&registration)).await.expect(201);
    // Independent of the policy, a partner can't invite its own tenant.
    let body = json!({"customer_tenant_id": partner.tenant_id, "delegated_admin": null});
    world.send(&partner.create(&body).idempotency_key("own")).await.refused(422, "self_relationship");
}

/// The data files of bad requests have the values beyond the limits.
#[tokio::test]
async fn values_at_their_limits_are_accepted() {
    let world = World::start().await;
    let partner = world.partner().await;
    let policy: Value = serde_json::from_str(include_str!("../../shared/domain/policy.json")).unwrap();
    let grantable = policy["versions"][0]["roles"]["grant"].as_array().unwrap();
    let roles: Vec<&str> = grantable.iter().map(|role| role["name"].as_str().expect("a name")).collect();
    let local_part = "a".repeat(64);
    for body in [
        json!({"delegated_admin": {"roles": roles, "duration": "P730D"}, "message": "é".repeat(1000)}),
        json!({"delegated_admin": {"roles": ["global_administrator"], "duration": "P1D", "auto_extend": false}}),
        json!({"delegated_admin": null, "expires_in_days": 1, "contact_email": format!("{local_part}@example.com")}),
        json!({"delegated_admin": null, "expires_in_days": 90, "message": "😀", "external_reference": "é".repeat(100)}),
    ] {
        let mut body = body;
        body["customer_tenant_id"] = json!(world.customer().await.tenant_id);
        // The largest body and the longest key.
        let mut text = body.to_string();
        text.push_str(&" ".repeat(65_536 - text.len()));
        let key = format!("{:~<255}", world.unique());
        let created = world.send(&partner.create(&body).bytes(text).idempotency_key(&key)).await;
        created.expect(201);
        assert!(world.send(&partner.create(&body).idempotency_key(&key)).await.replayed());
        let answer = world.send(&partner.create(&body).idempotency_key(format!("\"{key}\""))).await;
        answer.refused(400, "idempotency_key_invalid");
    }
    let customer = json!({
        "tenant_id": world.tenant_id(), "name": "株".repeat(100), "domain": null, "cloud": "public", "market": "ZW",
    });
    world.operator(Call::post("/v1/customers", &customer)).await.expect(201);
}

/// MP-10, MP-15: any number of partners can invite a customer, independent of its relationships.
#[tokio::test]
async fn several_partners_can_invite_one_customer() {
    let world = World::start().await;
    let customer = world.customer().await;
    for _ in 0..4 {
        world.relate(&world.partner().await, &customer).await;
    }
    let rows = world.items(&customer.call("GET", "/partners"), 4).await;
    assert!(rows.iter().all(|row| row["state"] == "active"));
}
