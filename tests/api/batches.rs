//! Batches of registrations: a result for each subscription, replays and repeats, and what refuses one or all.

use serde_json::{Value, json};
use tests::parties::registration;
use tests::{Answer, Customer, Partner, World};

/// The outcome of each subscription, or the code with which it was refused.
fn outcomes(answer: &Answer) -> Vec<String> {
    let results = answer.expect(200)["results"].as_array().expect("results").clone();
    let word = |result: &Value| {
        let (outcome, code) = (result["outcome"].as_str().expect("an outcome"), result["problem"]["code"].as_str());
        assert_eq!(outcome == "refused", code.is_some(), "{result}");
        assert_eq!(outcome == "refused", result.get("subscription").is_none(), "{result}");
        code.unwrap_or(outcome).to_owned()
    };
    results.iter().map(word).collect()
}

async fn related(world: &World) -> (Partner, Customer) {
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    (partner, customer)
}

/// A registration of several units.
fn units(id: &str, customer: &Customer, quantity: u32) -> Value {
    let mut body = registration(id, customer);
    body["quantity"] = json!(quantity);
    body
}

#[tokio::test]
async fn a_batch_of_forty_registers_each_subscription_with_an_event() {
    let world = World::start().await;
    let (partner, customer) = related(&world).await;
    let ids: Vec<String> = (0..40).map(|_| world.unique()).collect();
    let bodies: Vec<Value> = ids.iter().map(|id| registration(id, &customer)).collect();
    let answer = world.send(&partner.register_batch(&bodies)).await;
    assert_eq!(outcomes(&answer), vec!["registered"; 40]);
    for (at, (id, body)) in ids.iter().zip(&bodies).enumerate() {
        let result = &answer.json()["results"][at];
        assert_eq!(result["subscription_id"], json!(id));
        let mut expected = body.clone();
        expected["partner_of_record"] = json!(partner.partner_id);
        expected["registered_at"] = result["subscription"]["registered_at"].clone();
        expected["policy_version"] = result["subscription"]["policy_version"].clone();
        assert_eq!(result["subscription"], expected);
    }
    assert_eq!(world.items(&customer.call("GET", "/subscriptions?limit=100"), 40).await.len(), 40);
    for id in [&ids[0], &ids[39]] {
        let read = world.send(&partner.call("GET", &format!("/subscriptions/{id}"))).await.expect(200);
        assert_eq!(read["subscription"]["partner_of_record"], json!(partner.partner_id));
        let events = world.items(&customer.call("GET", &format!("/events?subject={id}")), 1).await;
        assert_eq!((&events[0]["type"], &events[0]["sequence"]), (&json!("subscription.registered"), &json!(1)));
        assert_eq!(events[0]["actor"]["kind"], "partner");
    }
    let again = world.send(&partner.register_batch(&bodies)).await;
    assert_eq!(outcomes(&again), vec!["replayed"; 40]);
    assert!(!again.replayed(), "the header is for a whole request");
    let firsts = |answer: &Answer| {
        let results = answer.json()["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["subscription"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(firsts(&again), firsts(&answer));
}

#[tokio::test]
async fn an_id_that_occurs_twice_is_a_replay_or_refused() {
    let world = World::start().await;
    let (partner, customer) = related(&world).await;
    let (one, two) = (world.unique(), world.unique());
    let mut spelled = registration(&one.to_uppercase(), &customer);
    spelled["friendly_name"] = Value::Null;
    let bodies = [
        units(&one, &customer, 1),
        spelled,
        units(&one, &customer, 2),
        units(&two, &customer, 1),
        units(&one, &customer, 1),
    ];
    let answer = world.send(&partner.register_batch(&bodies)).await;
    let expected = ["registered", "replayed", "subscription_exists", "registered", "replayed"];
    assert_eq!(outcomes(&answer), expected);
    let results = &answer.json()["results"];
    // Each has the id as it was sent, and the record as it was registered.
    assert_eq!(results[1]["subscription_id"], json!(one.to_uppercase()));
    assert_eq!(results[1]["subscription"], results[0]["subscription"]);
    assert_eq!(world.items(&partner.call("GET", "/subscriptions"), 2).await.len(), 2);

    // The first one is refused because of an earlier record, and the second one is that record.
    let answer = world.send(&partner.register_batch(&[units(&two, &customer, 9), units(&two, &customer, 1)])).await;
    assert_eq!(outcomes(&answer), ["subscription_exists", "replayed"]);
}

/// Each code with which a registration can be refused, in the middle of a batch. The others are registered, if they can be.
#[tokio::test]
async fn a_refused_subscription_does_not_stop_the_others() {
    let world = World::start().await;
    let (partner, customer) = related(&world).await;
    let other = world.partner().await;
    world.relate(&other, &customer).await;
    let (foreign, own) = (world.unique(), world.unique());
    world.send(&other.register(&registration(&foreign, &customer))).await.expect(201);
    world.send(&partner.register(&registration(&own, &customer))).await.expect(201);
    let mut of_another = registration(&world.unique(), &customer);
    of_another["partner_of_record"] = json!(other.partner_id);
    let mut named = registration(&world.unique(), &customer);
    named["partner_of_record"] = json!(partner.partner_id);
    let bodies = [
        registration(&world.unique(), &customer),
        registration(&foreign, &customer),
        units(&own, &customer, 2),
        registration(&own, &customer),
        of_another,
        named,
    ];
    let answer = world.send(&partner.register_batch(&bodies)).await;
    let expected = [
        "registered",
        "subscription_exists",
        "subscription_exists",
        "replayed",
        "partner_of_record_mismatch",
        "registered",
    ];
    assert_eq!(outcomes(&answer), expected);
    // A problem is what a registration alone returns, and does not name the holder.
    let alone = world.send(&partner.register(&bodies[1])).await;
    let mut problem = answer.json()["results"][1]["problem"].clone();
    assert!(problem["instance"].as_str().is_some_and(|text| text.starts_with("urn:request:")), "{problem}");
    problem["instance"] = alone.json()["instance"].clone();
    assert_eq!(problem, alone.json());
    assert!(!answer.json()["results"].to_string().contains(&other.partner_id));
    assert_eq!(world.items(&partner.call("GET", "/subscriptions"), 3).await.len(), 3);
}

#[tokio::test]
async fn without_a_relationship_only_what_is_registered_is_returned() {
    let world = World::start().await;
    let (partner, customer) = related(&world).await;
    let (old, new) = (world.unique(), world.unique());
    let first = world.send(&partner.register(&registration(&old, &customer))).await.expect(201);
    let bodies = [
        registration(&new, &customer),
        registration(&old, &customer),
        units(&old, &customer, 2),
        registration(&new, &customer),
    ];
    let check = async |code: &str| {
        let answer = world.send(&partner.register_batch(&bodies)).await;
        assert_eq!(outcomes(&answer), [code, "replayed", code, code]);
        assert_eq!(answer.json()["results"][1]["subscription"], first["subscription"]);
        for (at, body) in bodies.iter().enumerate() {
            // The same as alone.
            let alone = world.send(&partner.register(body)).await;
            assert_eq!(alone.status == 200, at == 1);
            assert!(at == 1 || alone.code() == code);
        }
    };
    world.send(&customer.end(&partner)).await.expect(200);
    check("no_active_relationship").await;
    world.relate(&partner, &customer).await;
    world.enrol(&customer, "public", "US").await;
    check("customer_is_csp_tenant").await;
    // An unknown tenant has no relationship.
    let stranger = Customer { tenant_id: world.tenant_id(), key: String::new() };
    let answer = world.send(&partner.register_batch(&[registration(&world.unique(), &stranger)])).await;
    assert_eq!(outcomes(&answer), ["no_active_relationship"]);
    assert_eq!(world.items(&partner.call("GET", "/subscriptions"), 1).await.len(), 1);
}

#[tokio::test]
async fn anything_malformed_refuses_the_whole_batch_and_writes_nothing() {
    let world = World::start().await;
    let (partner, customer) = related(&world).await;
    let other = world.customer().await;
    world.relate(&partner, &other).await;
    let good = || registration(&world.unique(), &customer);
    let many = |count: usize| (0..count).map(|_| good()).collect::<Vec<_>>();
    let with = |member: &str, value: Value| {
        let mut body = good();
        body[member] = value;
        body
    };
    for (bodies, pointers) in [
        (many(0), vec!["/subscriptions"]),
        (many(41), vec!["/subscriptions"]),
        (vec![good(), registration(&world.unique(), &other)], vec!["/subscriptions/1/customer_tenant_id"]),
        (vec![good(), with("quantity", json!(0))], vec!["/subscriptions/1/quantity"]),
        (
            vec![with("term", json!("P9Y")), good(), json!({})],
            vec!["/subscriptions/0/term", "/subscriptions/2/subscription_id"],
        ),
        (vec![good(), with("transfer", json!(true))], vec!["/subscriptions/1/transfer"]),
    ] {
        let answer = world.send(&partner.register_batch(&bodies)).await;
        answer.refused(422, "validation_failed");
        let found = answer.pointers();
        assert!(
            pointers.iter().all(|pointer| found.contains(&(*pointer).to_owned())),
            "{found:?} and not {pointers:?}"
        );
    }
    assert_eq!(world.items(&partner.call("GET", "/subscriptions"), 0).await, Vec::<Value>::new());
    for body in [json!([]), json!({"subscriptions": {}}), json!({"subscriptions": null}), json!({})] {
        world.send(&partner.call("POST", "/subscriptions/batch").json(&body)).await.refused(422, "validation_failed");
    }
}

#[tokio::test]
async fn a_batch_may_be_larger_than_other_bodies() {
    let world = World::start().await;
    let (partner, customer) = related(&world).await;
    let long = |_| {
        let mut body = registration(&world.unique(), &customer);
        for member in ["service", "offer_id", "friendly_name", "external_reference"] {
            body[member] = json!("€".repeat(100));
        }
        body
    };
    let bodies: Vec<Value> = (0..40).map(long).collect();
    let text = json!({"subscriptions": bodies}).to_string();
    // Escaped, it is larger than 64 KiB.
    let escaped = text.replace('€', "\\u20ac");
    assert!((64 * 1024..256 * 1024).contains(&escaped.len()), "{}", escaped.len());
    let batch = |text: String| {
        partner.call("POST", "/subscriptions/batch").header("content-type", "application/json").bytes(text)
    };
    let answer = world.send(&batch(escaped.clone())).await;
    assert_eq!(outcomes(&answer), vec!["registered"; 40]);
    let padded = |length: usize| format!("{text}{}", " ".repeat(length - text.len()));
    let answer = world.send(&batch(padded(256 * 1024))).await;
    assert_eq!(outcomes(&answer), vec!["replayed"; 40]);
    world.send(&batch(padded(256 * 1024 + 1))).await.refused(413, "body_too_large");
    // Other routes keep their limit.
    let alone = partner.call("POST", "/subscriptions").header("content-type", "application/json");
    world.send(&alone.bytes(" ".repeat(64 * 1024 + 1))).await.refused(413, "body_too_large");
}

#[tokio::test]
async fn a_batch_needs_the_permission_to_register() {
    let world = World::start().await;
    let (partner, customer) = related(&world).await;
    let other = world.partner().await;
    let bodies = [registration(&world.unique(), &customer)];
    let call = partner.register_batch(&bodies);
    let with = |key: &str| {
        let mut call = call.clone();
        call.headers.retain(|(name, _)| name != "authorization");
        if key.is_empty() { call } else { call.key(key) }
    };
    let reader = world.further_key(&partner, &["billing_admin"]).await;
    for (key, status, code) in [
        ("", 401, "token_missing"),
        (reader.key.as_str(), 403, "role_not_permitted"),
        (world.operator_key(), 403, "role_not_permitted"),
        (other.key.as_str(), 404, "not_found"),
        (customer.key.as_str(), 404, "not_found"),
    ] {
        world.send(&with(key)).await.refused(status, code);
    }
    let seller = world.further_key(&partner, &["sales_agent"]).await;
    assert_eq!(outcomes(&world.send(&with(&seller.key)).await), ["registered"]);
    if world.here().is_some() {
        world.suspend(&partner).await;
        world.send(&call).await.refused(403, "partner_not_active");
    }
}
