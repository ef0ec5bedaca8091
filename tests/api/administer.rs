//! The operator's routes: customers, partners, keys, suspension, rotation. Every command is idempotent.

use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, registration};
use tests::{Call, Partner, World};

#[tokio::test]
async fn registering_a_customer_again_returns_it_unchanged() {
    let world = World::start().await;
    let tenant_id = world.tenant_id();
    let body = json!({
        "tenant_id": tenant_id, "name": "Contoso", "domain": "Contoso.Example", "cloud": "us_gov", "market": "DE",
    });
    let register = |body: &Value| Call::post("/v1/customers", body);
    let first = world.operator(register(&body)).await;
    let customer = first.expect(201)["customer"].clone();
    assert_eq!(
        customer,
        json!({
            "tenant_id": tenant_id, "name": "Contoso", "domain": "contoso.example", "cloud": "us_gov", "market": "DE",
            "created_at": customer["created_at"],
        })
    );
    world.tick();
    let again = world.operator(register(&body)).await;
    again.expect(200);
    assert_eq!(again.body, first.body);
    for (member, value) in [
        ("name", json!("Fabrikam")),
        ("domain", json!("fabrikam.example")),
        ("cloud", json!("public")),
        ("market", json!("US")),
    ] {
        let mut other = body.clone();
        other[member] = value;
        world.operator(register(&other)).await.refused(409, "tenant_exists");
    }
    // A domain that is not sent agrees with every domain.
    let mut without_domain = body.clone();
    without_domain.as_object_mut().unwrap().remove("domain");
    assert_eq!(world.operator(register(&without_domain)).await.expect(200), first.json());
    let events = format!("/v1/events?subject={tenant_id}");
    let events = world.items(&Call::get(events).key(world.operator_key()), 1).await;
    assert_eq!((&events[0]["type"], &events[0]["sequence"]), (&json!("customer.registered"), &json!(1)));
    assert_eq!(events[0]["subject"], json!({"customer_tenant_id": tenant_id}));
    assert_eq!(events[0]["actor"]["kind"], "operator");
}

#[tokio::test]
async fn enrolling_a_partner_again_returns_it_unchanged_with_its_current_secret() {
    let world = World::start().await;
    let tenant_id = world.tenant_id();
    let body = json!({"tenant_id": tenant_id, "name": "Fabrikam", "cloud": "public", "market": "US"});
    let enrol = |body: &Value| Call::post("/v1/partners", body);
    let first = world.operator(enrol(&body)).await;
    let enrolled = first.expect(201);
    let partner = &enrolled["partner"];
    let id = partner["partner_id"].as_str().unwrap();
    assert!(id.starts_with("ptr_") && enrolled["signing_secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(
        *partner,
        json!({
            "partner_id": id, "tenant_id": tenant_id, "name": "Fabrikam", "cloud": "public", "market": "US",
            "status": "active", "created_at": partner["created_at"],
        })
    );
    world.tick();
    let again = world.operator(enrol(&body)).await;
    again.expect(200);
    assert_eq!(again.body, first.body);
    let others = [("name", "Northwind"), ("domain", "fabrikam.example"), ("cloud", "us_gov"), ("market", "FR")];
    for (member, value) in others {
        let mut other = body.clone();
        other[member] = json!(value);
        world.operator(enrol(&other)).await.refused(409, "partner_exists");
    }
    let rotate = Call::post(format!("/v1/partners/{id}/signing-secret/rotate"), &json!({"grace_hours": 1}));
    let rotated = world.operator(rotate).await.expect(200);
    assert_ne!(rotated["signing_secret"], enrolled["signing_secret"]);
    assert_eq!(world.operator(enrol(&body)).await.expect(200)["signing_secret"], rotated["signing_secret"]);
}

#[tokio::test]
async fn enrolling_makes_an_existing_tenant_a_csp_tenant_if_cloud_and_market_match() {
    let world = World::start().await;
    let customer = world.customer_in("public", "FR").await;
    let enrol = |tenant_id: &str, name: &str, cloud: &str, market: &str| {
        Call::post("/v1/partners", &json!({"tenant_id": tenant_id, "name": name, "cloud": cloud, "market": market}))
    };
    let id = &customer.tenant_id;
    world.operator(enrol(id, "Contoso", "us_gov", "FR")).await.refused(422, "cloud_mismatch");
    world.operator(enrol(id, "Contoso", "us_gov", "US")).await.refused(422, "cloud_mismatch");
    world.operator(enrol(id, "Contoso", "public", "US")).await.refused(422, "market_mismatch");
    // The name may differ. The tenant keeps its own.
    let enrolled = world.operator(enrol(id, "Contoso Partners", "public", "FR")).await.expect(201);
    let known = json!({"tenant_id": id, "name": "Contoso", "cloud": "public", "market": "FR"});
    let tenant = world.operator(Call::post("/v1/customers", &known)).await.expect(200)["customer"].clone();
    assert_eq!((&tenant["name"], &tenant["partner_id"]), (&json!("Contoso"), &enrolled["partner"]["partner_id"]));
    // Enrolling creates an unknown tenant.
    let new = world.tenant_id();
    world.operator(enrol(&new, "Fabrikam", "public", "US")).await.expect(201);
    let other = json!({"tenant_id": new, "name": "Other", "cloud": "public", "market": "US"});
    world.operator(Call::post("/v1/customers", &other)).await.refused(409, "tenant_exists");
}

#[tokio::test]
async fn renaming_writes_an_event_only_if_the_name_changes() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let rename = |path: String, name: &str| Call::new("PATCH", path).json(&json!({"name": name}));
    let customer_path = format!("/v1/customers/{}", customer.tenant_id);
    let partner_path = format!("/v1/partners/{}", partner.partner_id);
    for _ in 0..2 {
        let renamed = world.operator(rename(customer_path.clone(), "Contoso Ltd.")).await.expect(200);
        assert_eq!(renamed["customer"]["name"], "Contoso Ltd.");
        let renamed = world.operator(rename(partner_path.clone(), "Northwind Ltd.")).await.expect(200);
        assert_eq!(renamed["partner"]["name"], "Northwind Ltd.");
    }
    assert_eq!(world.event_types(&partner, 3).await, ["key.issued", "partner.enrolled", "partner.updated"]);
    let events = world.items(&customer.call("GET", "/events"), 3).await;
    let mut types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["customer.registered", "customer.updated", "key.issued"]);
    // Invitations keep the name that the customer saw. Lists show the current one.
    let id = world.relate(&partner, &customer).await;
    let back = world.operator(rename(partner_path, "Northwind")).await;
    back.expect(200);
    world.forget_here().await;
    let shown = world.send(&partner.call("GET", &format!("/invitations/{id}"))).await.expect(200);
    assert_eq!(shown["invitation"]["partner_name"], "Northwind Ltd.");
    if world.here().is_some() {
        assert_eq!(world.items(&customer.call("GET", "/partners"), 1).await[0]["name"], "Northwind");
        assert_eq!(world.items(&partner.call("GET", "/customers"), 1).await[0]["name"], "Contoso Ltd.");
    }
}

#[tokio::test]
async fn a_key_is_returned_again_only_for_its_idempotency_key() {
    let world = World::start().await;
    let partner = world.partner().await;
    let body = json!({
        "principal": {"kind": "partner", "id": partner.partner_id}, "roles": ["sales_agent", "global_admin"], "name": "Shop",
    });
    let key = world.unique();
    let first = world.operator(Call::post("/v1/keys", &body).idempotency_key(&key)).await;
    let issued = first.expect(201);
    assert!(issued["key"].as_str().is_some_and(|key| key.starts_with("mpk_") && key.len() == 47));
    assert!(issued["key_id"].as_str().is_some_and(|id| id.starts_with("key_")));
    assert_eq!(issued.as_object().map(serde_json::Map::len), Some(2));
    let again = world.operator(Call::post("/v1/keys", &body).idempotency_key(&key)).await;
    assert!(again.replayed());
    assert_eq!((again.status, &again.body), (201, &first.body));
    let mut other = body.clone();
    other["name"] = json!("Other");
    let reused = world.operator(Call::post("/v1/keys", &other).idempotency_key(&key)).await;
    reused.refused(422, "idempotency_key_reused");
    let fresh = world.operator(Call::post("/v1/keys", &body)).await.expect(201);
    assert_ne!(fresh["key"], issued["key"]);
    // A repeat says that the key was revoked since.
    let repeated = Call::post("/v1/keys", &body).idempotency_key(world.unique());
    let gone = world.operator(repeated.clone()).await.expect(201);
    assert_eq!(gone.get("revoked_at"), None);
    let path = format!("/v1/keys/{}", gone["key_id"].as_str().unwrap());
    let revoked = world.operator(Call::delete(path)).await;
    let replay = world.operator(repeated).await;
    assert!(replay.replayed());
    assert_eq!(
        [&replay.json()["key"], &replay.json()["revoked_at"]],
        [&gone["key"], &revoked.expect(200)["revoked_at"]]
    );
    // The list has its id but not its text.
    let keys = world.all(&Call::get("/v1/keys").key(world.operator_key())).await;
    let listed = keys.iter().find(|key| key["key_id"] == issued["key_id"]);
    if let Some(listed) = listed {
        let expected = json!({
            "key_id": issued["key_id"], "principal": body["principal"], "roles": ["global_admin", "sales_agent"],
            "name": "Shop", "created_at": listed["created_at"],
        });
        assert_eq!(*listed, expected);
    }
    assert!(listed.is_some() || world.is_deployment());
}

#[tokio::test]
async fn me_describes_the_principal_of_a_key() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let roles = ["billing_admin", "admin_agent"];
    let desk = world.further_key(&partner, &roles).await;
    let me = async |key: &str| world.send(&Call::get("/v1/me").key(key)).await.expect(200);
    let shown = me(&desk.key).await;
    let key_id = &shown["key_id"];
    assert_eq!(
        shown,
        json!({"kind": "partner", "id": partner.partner_id, "roles": ["admin_agent", "billing_admin"], "key_id": key_id})
    );
    let shown = me(&customer.key).await;
    assert_eq!((&shown["kind"], &shown["id"]), (&json!("customer"), &json!(customer.tenant_id)));
    assert_eq!(shown["roles"], json!(["global_admin"]));
    let shown = me(world.operator_key()).await;
    assert_eq!((&shown["kind"], &shown["id"], &shown["roles"]), (&json!("operator"), &Value::Null, &json!([])));
}

#[tokio::test]
async fn an_issued_operator_key_has_operator_rights() {
    let world = World::start().await;
    let key = world.issue_key(json!({"kind": "operator"}), &[]).await;
    let body = json!({"tenant_id": world.tenant_id(), "name": "Contoso", "cloud": "public", "market": "US"});
    let register = Call::post("/v1/customers", &body).key(&key);
    world.send(&register).await.expect(201);
}

#[tokio::test]
async fn a_revoked_key_fails_within_thirty_seconds_and_a_new_key_works_at_once() {
    let Some(world) = World::with_clock().await else { return };
    let partner = world.partner().await;
    let list = partner.call("GET", "/invitations");
    world.send(&list).await.expect(200);
    let key_id = world.send(&Call::get("/v1/me").key(&partner.key)).await.expect(200)["key_id"].clone();
    let path = format!("/v1/keys/{}", key_id.as_str().unwrap());
    let revoked = world.operator(Call::delete(path.as_str())).await;
    let at = revoked.expect(200);
    assert_eq!(at, json!({"key_id": key_id, "revoked_at": "2026-11-22T12:00:00.000Z"}));
    world.clock().advance_millis(30_000);
    world.send(&list).await.refused(401, "key_invalid");
    world.send(&Call::get("/v1/me").key(&partner.key)).await.refused(401, "key_invalid");
    // Revoking again returns the first time and writes no event.
    assert_eq!(world.operator(Call::delete(path.as_str())).await.expect(200), at);
    let further = world.further_key(&partner, &["sales_agent"]).await;
    world.send(&further.call("GET", "/invitations")).await.expect(200);
    let types = world.event_types(&partner, 4).await;
    assert_eq!(types, ["key.issued", "key.issued", "key.revoked", "partner.enrolled"]);
    let keys = world.items(&Call::get("/v1/keys").key(world.operator_key()), 2).await;
    let revoked = keys.iter().find(|key| key["key_id"] == key_id).unwrap();
    assert_eq!(revoked["revoked_at"], at["revoked_at"]);
}

/// The hash of the first operator key is in the deployment's configuration, not in the table.
#[tokio::test]
async fn the_key_of_the_deployment_can_not_be_revoked() {
    let world = World::start().await;
    let me = world.operator(Call::get("/v1/me")).await.expect(200);
    let path = format!("/v1/keys/{}", me["key_id"].as_str().unwrap());
    world.operator(Call::delete(path)).await.refused(404, "not_found");
    world.operator(Call::get("/v1/me")).await.expect(200);
}

/// The absence of partners and keys is not cached.
#[tokio::test]
async fn a_new_partner_and_key_are_found_at_once_after_a_miss() {
    let world = World::start().await;
    let tenant_id = world.tenant_id();
    let body = json!({"tenant_id": tenant_id, "name": "Fabrikam", "cloud": "public", "market": "US"});
    let partner_id = domain::PartnerId::from_tenant(&domain::TenantId::parse(&tenant_id).unwrap()).to_string();
    let unsigned = Partner {
        partner_id: partner_id.clone(),
        tenant_id,
        key: String::new(),
        signing_secret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into(),
    };
    let now = world.now().seconds();
    let early = unsigned.webhook("/subscriptions", "a", now, b"{}");
    world.send(&early).await.refused(401, "signature_invalid");
    let enrolled = world.operator(Call::post("/v1/partners", &body)).await.expect(201);
    assert_eq!(enrolled["partner"]["partner_id"], json!(partner_id));
    let signing_secret = enrolled["signing_secret"].as_str().unwrap().to_owned();
    let signed = Partner { signing_secret, ..unsigned }.webhook("/subscriptions", "a", now, b"{}");
    world.send(&signed).await.refused(422, "validation_failed");
}

/// MP-45: after suspension all requests of the partner are rejected, including repeats. Those of its customers work.
#[tokio::test]
async fn a_suspended_partner_can_do_nothing_and_its_customers_can_leave_it() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer, leaving) = (world.partner().await, world.customer().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.expect(200);
    world.relate(&partner, &leaving).await;
    let create = partner.asks(&world.customer().await, &Value::Null, "key");
    let (open, _) = tests::parties::link(&world.send(&create).await.expect(201));
    let register = partner.register(&registration("a", &customer));
    world.send(&register).await.expect(201);
    let now = world.now().seconds();
    let data = json!({"customer_tenant_id": world.customer().await.tenant_id, "delegated_admin": null});
    let envelope = json!({"type": "invitation.create", "timestamp": "2026-11-22T12:00:00Z", "data": data}).to_string();
    let webhook = partner.webhook("/invitations", "id", now, envelope.as_bytes());
    world.send(&webhook).await.expect(201);

    let path = format!("/v1/partners/{}", partner.partner_id);
    let suspend = || Call::new("POST", format!("{path}/suspend"));
    let events = world.event_types(&partner, 9).await.len();
    for _ in 0..2 {
        let suspended = world.operator(suspend()).await.expect(200);
        assert_eq!(suspended["partner"]["status"], "suspended");
    }
    world.forget().await;
    let grant = id.replace("inv_", "grt_");
    let reads =
        ["invitations", "customers", "subscriptions", "events", "subscriptions/a", &format!("invitations/{open}")]
            .map(|list| partner.call("GET", &format!("/{list}")));
    let writes = [
        create.clone(),
        register.clone(),
        partner.webhook("/subscriptions", "other", now + 30, b"{}"),
        webhook,
        partner.cancel(&open),
        partner.renew(&open),
        partner.end(&customer),
        partner.call("DELETE", &format!("/grants/{grant}")),
    ];
    for call in reads.iter().chain(&writes) {
        world.send(call).await.refused(403, "partner_not_active");
    }
    let rows = world.items(&customer.call("GET", "/partners"), 1).await;
    assert_eq!(
        (&rows[0]["partner_status"], &rows[0]["grants"][0]["state"]),
        (&json!("suspended"), &json!("suspended"))
    );
    let operators = Call::get(format!("{path}/customers")).key(world.operator_key());
    let rows = world.items(&operators, 2).await;
    assert!(rows.iter().all(|row| row["partner_status"] == "suspended"));
    assert!(rows.iter().any(|row| row["grants"][0]["state"] == "suspended"));
    world.send(&leaving.end(&partner)).await.expect(200);
    let ended = world.send(&customer.call("DELETE", &format!("/grants/{grant}"))).await.expect(200);
    assert_eq!(ended["grant"]["state"], "ended");
    // Rejected requests wrote no events.
    assert_eq!(world.event_types(&partner, events + 3).await.len(), events + 3);

    for _ in 0..2 {
        let resumed = world.operator(Call::new("POST", format!("{path}/resume"))).await.expect(200);
        assert_eq!(resumed["partner"]["status"], "active");
    }
    assert!(world.send(&create).await.replayed());
    assert!(world.send(&register).await.replayed());
    assert!(world.event_types(&partner, events + 4).await.contains(&"partner.resumed".to_owned()));
}

/// A rejection that a cached status would cause is not final.
#[tokio::test]
async fn a_resumed_partner_can_act_at_once_by_key_and_by_signature_and_its_customers_can_accept() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, Value::Null).await;
    let webhook = || partner.webhook("/subscriptions", &world.unique(), world.now().seconds(), b"{}");
    let list = partner.call("GET", "/invitations");
    let (accept, renew) = (accept_by_link(&id, &token, &Value::Null), partner.renew(&id));
    world.suspend(&partner).await;
    for call in [&list, &accept, &renew, &webhook()] {
        world.send(call).await.refused(403, "partner_not_active");
    }
    let resume = Call::new("POST", format!("/v1/partners/{}/resume", partner.partner_id));
    world.operator(resume).await.expect(200);
    world.send(&list).await.expect(200);
    world.send(&accept).await.expect(200);
    world.send(&webhook()).await.refused(422, "validation_failed");
    world.send(&renew).await.refused(409, "invalid_transition");
}

#[tokio::test]
async fn a_rotated_secret_works_until_its_grace_period_ends() {
    let Some(world) = World::with_clock().await else { return };
    let old = world.partner().await;
    let path = format!("/v1/partners/{}/signing-secret/rotate", old.partner_id);
    let rotate = |hours: u64| Call::post(path.as_str(), &json!({"grace_hours": hours}));
    let try_with = async |partner: &Partner| {
        let now = world.now().seconds();
        world.send(&partner.webhook("/subscriptions", &world.unique(), now, b"{}")).await.code()
    };
    let renewed = async |hours| {
        let answer = world.operator(rotate(hours)).await.expect(200);
        assert_eq!(answer.as_object().map(serde_json::Map::len), Some(1));
        Partner { signing_secret: answer["signing_secret"].as_str().unwrap().into(), ..old.clone() }
    };
    let (signed, refused) = ("validation_failed", "signature_invalid");
    assert_eq!(try_with(&old).await, signed);
    let new = renewed(24).await;
    // The new secret works at once although the partner is cached, the old one until its grace period ends.
    assert_eq!((try_with(&new).await.as_str(), try_with(&old).await.as_str()), (signed, signed));
    world.operator(rotate(1)).await.refused(409, "rotation_in_progress");
    world.clock().advance_millis(24 * 3_600_000 - 1);
    world.operator(rotate(24)).await.refused(409, "rotation_in_progress");
    assert_eq!((try_with(&new).await.as_str(), try_with(&old).await.as_str()), (signed, signed));
    world.clock().advance_millis(1);
    assert_eq!((try_with(&new).await.as_str(), try_with(&old).await.as_str()), (signed, refused));
    // Without a grace period the old secret fails once caches have expired.
    let newest = renewed(0).await;
    assert_eq!(try_with(&newest).await, signed);
    world.clock().advance_millis(30_000);
    assert_eq!((try_with(&newest).await.as_str(), try_with(&new).await.as_str()), (signed, refused));
    renewed(0).await;
    let types = world.event_types(&old, 5).await;
    assert_eq!(types[2..], ["secret.rotated", "secret.rotated", "secret.rotated"]);
}

#[tokio::test]
async fn a_rotation_without_grace_ends_every_older_secret_and_can_be_repeated() {
    let Some(world) = World::with_clock().await else { return };
    let first = world.partner().await;
    let path = format!("/v1/partners/{}/signing-secret/rotate", first.partner_id);
    let rotate = |hours: u64| Call::post(path.as_str(), &json!({"grace_hours": hours}));
    let with = |answer: &tests::Answer| {
        let signing_secret = answer.json()["signing_secret"].as_str().expect("a secret").to_owned();
        Partner { signing_secret, ..first.clone() }
    };
    let second = with(&world.operator(rotate(24)).await);
    let key = world.unique();
    let emergency = world.operator(rotate(0).idempotency_key(&key)).await;
    let repeat = world.operator(rotate(0).idempotency_key(&key)).await;
    assert_eq!((emergency.replayed(), repeat.replayed()), (false, true));
    assert_eq!(emergency.expect(200), repeat.expect(200), "an operator that lost the response gets the secret again");
    world.operator(rotate(1).idempotency_key(&key)).await.refused(422, "idempotency_key_reused");
    world.clock().advance_millis(30_000);
    for (partner, code) in
        [(&first, "signature_invalid"), (&second, "signature_invalid"), (&with(&emergency), "validation_failed")]
    {
        let webhook = partner.webhook("/subscriptions", &world.unique(), world.now().seconds(), b"{}");
        assert_eq!(world.send(&webhook).await.code(), code);
    }
    world.operator(rotate(1).idempotency_key(world.unique())).await.expect(200);
}

#[tokio::test]
async fn only_an_operator_can_use_operator_routes() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, tenant) = (&partner.partner_id, &customer.tenant_id);
    for (method, path) in [
        ("POST", "/v1/customers".to_owned()),
        ("PATCH", format!("/v1/customers/{tenant}")),
        ("POST", "/v1/partners".to_owned()),
        ("PATCH", format!("/v1/partners/{id}")),
        ("POST", format!("/v1/partners/{id}/suspend")),
        ("POST", format!("/v1/partners/{id}/resume")),
        ("POST", format!("/v1/partners/{id}/signing-secret/rotate")),
        ("POST", "/v1/keys".to_owned()),
        ("DELETE", "/v1/keys/x".to_owned()),
        ("GET", "/v1/customers".to_owned()),
        ("GET", "/v1/partners".to_owned()),
        ("GET", "/v1/keys".to_owned()),
        ("GET", "/v1/events".to_owned()),
    ] {
        for key in [&partner.key, &customer.key] {
            world.send(&Call::new(method, path.as_str()).key(key)).await.refused(403, "role_not_permitted");
        }
        world.send(&Call::new(method, path.as_str())).await.refused(401, "token_missing");
    }
    let unknown = format!("ptr_{}", "a".repeat(26));
    for action in ["suspend", "resume"] {
        let call = Call::new("POST", format!("/v1/partners/{unknown}/{action}"));
        world.operator(call).await.refused(404, "not_found");
    }
    let rotate = Call::post(format!("/v1/partners/{unknown}/signing-secret/rotate"), &json!({"grace_hours": 0}));
    world.operator(rotate).await.refused(404, "not_found");
}
