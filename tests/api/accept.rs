//! Answering invitations: preview, accept and decline, by link and by key.

use domain::Timestamp;
use platform::clock::Clock;
use serde_json::{Value, json};
use tests::parties::{accept_by_link, acceptance, asking, decline_by_link, key_id, link, preview, registration};
use tests::{Answer, Call, Customer, World};

const TWO: [&str; 2] = ["directory_readers", "helpdesk_administrator"];

#[tokio::test]
async fn an_acceptance_has_exactly_the_members_of_the_contract() {
    let Some(world) = World::with_links().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, asking(&TWO, "P365D")).await;
    let narrowed = asking(&["helpdesk_administrator"], "P90D");
    let answer = world.send(&accept_by_link(&id, &token, &narrowed)).await;
    let accepted = answer.expect(200);
    assert!(!answer.replayed());
    let invitation = &accepted["invitation"];
    let decided_at = &invitation["answer"]["decided_at"];
    let granted = json!({"roles": ["helpdesk_administrator"], "duration": "P90D", "auto_extend": false});
    assert_eq!(
        accepted,
        json!({
            "invitation": {
                "invitation_id": id, "kind": "reseller", "state": "accepted", "partner_id": partner.partner_id,
                "partner_name": "Northwind", "customer_tenant_id": customer.tenant_id, "message": null,
                "delegated_admin": {"roles": TWO, "duration": "P365D", "auto_extend": false},
                "created_at": invitation["created_at"], "expires_at": invitation["expires_at"], "version": 2,
                "policy_version": 2,
                "answer": {
                    "decision": "accepted", "decided_at": decided_at, "delegated_admin": granted, "proof": "link",
                },
            },
            "relationship": {
                "partner_id": partner.partner_id, "customer_tenant_id": customer.tenant_id, "state": "active",
                "since": decided_at,
            },
            "grant": {
                "grant_id": id.replace("inv_", "grt_"), "partner_id": partner.partner_id,
                "customer_tenant_id": customer.tenant_id, "roles": ["helpdesk_administrator"], "starts_at": decided_at,
                "ends_at": accepted["grant"]["ends_at"], "auto_extend": false, "state": "active",
            },
        })
    );
    if world.here().is_some() {
        assert_eq!(accepted["grant"]["ends_at"], "2027-02-20T12:00:00.000Z");
    }
}

#[tokio::test]
async fn the_event_of_an_acceptance_has_no_personal_data() {
    let Some(world) = World::with_links().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, asking(&TWO, "P10D")).await;
    let accepted = world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.expect(200);
    let events = world.items(&customer.call("GET", &format!("/events?subject={id}")), 2).await;
    let event = events.iter().find(|event| event["type"] == "invitation.accepted").unwrap();
    let subject = json!({
        "invitation_id": id, "grant_id": id.replace("inv_", "grt_"), "partner_id": partner.partner_id,
        "customer_tenant_id": customer.tenant_id,
    });
    assert_eq!((&event["sequence"], &event["subject"]), (&json!(2), &subject));
    assert_eq!(
        event["actor"],
        json!({"kind": "link", "id": id, "role": null, "claimed_role": "global_admin", "proof": "link"})
    );
    let since = &accepted["relationship"]["since"];
    assert_eq!(event["data"]["relationship"], json!({"state": "active", "since": since}));
    let grant = &accepted["grant"];
    let started = json!({
        "grant_id": grant["grant_id"], "roles": grant["roles"], "starts_at": grant["starts_at"],
        "ends_at": grant["ends_at"], "auto_extend": grant["auto_extend"], "state": "active",
    });
    assert_eq!(event["data"]["grant"], started);
    for digest in ["accepted_by", "shown"] {
        assert!(event["data"][digest].as_str().is_some_and(|digest| digest.len() == 22), "{digest}");
    }
    let all = Value::Array(events).to_string();
    assert!(!all.contains("Avery") && !all.contains("avery@"), "{all}");
}

#[tokio::test]
async fn a_customers_key_accepts_without_token_and_role() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, _) = world.open(&partner, &customer, Value::Null).await;
    let accepted = world.send(&customer.accept(&id, &Value::Null)).await.expect(200);
    assert_eq!(accepted["grant"], Value::Null);
    assert_eq!(accepted["invitation"]["answer"]["accepted_by"]["name"], "Avery Howard");
    let events = world.items(&customer.call("GET", &format!("/events?subject={id}")), 2).await;
    let event = events.iter().find(|event| event["type"] == "invitation.accepted").unwrap();
    let actor = json!({
        "kind": "customer", "id": customer.tenant_id, "role": "global_admin", "key_id": key_id(&customer.key), "proof": "key",
    });
    assert_eq!(event["actor"], actor);
}

/// Anyone may hold the link, also long after the answer.
#[tokio::test]
async fn who_accepted_is_shown_to_both_sides_but_never_to_the_holder_of_the_link() {
    let world = World::start().await;
    let (partner, one, two) = (world.partner().await, world.customer().await, world.customer().await);
    let person = json!({"name": "Avery Howard", "email": "avery@contoso.example"});
    for (customer, by_link) in [(&one, true), (&two, false)] {
        let (id, token) = world.open(&partner, customer, Value::Null).await;
        let accept = accept_by_link(&id, &token, &Value::Null);
        let by_key = customer.accept(&id, &Value::Null);
        let first = world.send(if by_link { &accept } else { &by_key }).await.expect(200);
        assert_eq!(first["invitation"]["answer"].get("accepted_by").is_some(), !by_link);
        for call in [&accept, &preview(&id, &token)] {
            let shown = world.send(call).await.expect(200);
            assert_eq!(shown["invitation"]["answer"]["decision"], "accepted");
            let text = shown.to_string();
            assert!(!text.contains("accepted_by") && !text.contains("Avery"), "{text}");
        }
        let read = partner.call("GET", &format!("/invitations/{id}"));
        assert_eq!(world.send(&read).await.expect(200)["invitation"]["answer"]["accepted_by"], person);
        assert_eq!(world.send(&by_key).await.expect(200)["invitation"]["answer"]["accepted_by"], person);
        let own = world.items(&customer.call("GET", "/invitations"), 1).await;
        assert_eq!(own[0]["answer"]["accepted_by"], person);
    }
}

/// The decision counts, not its spelling, who sent it, how, or what happened since.
#[tokio::test]
async fn the_same_decision_again_gets_the_first_response_byte_for_byte() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, asking(&TWO, "P10D")).await;
    let first = world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await;
    first.expect(200);
    let events = world.event_types(&partner, 4).await;
    let mut by_another = acceptance(&token, &json!("as_requested"));
    by_another["accepted_by"] = json!({"name": "", "email": "unknown", "role": "sales_agent", "nope": 1});
    let mut without_person = acceptance(&token, &json!("as_requested"));
    without_person.as_object_mut().unwrap().remove("accepted_by");
    let path = format!("/v1/invitations/{id}/accept");
    let reversed = json!({"roles": [TWO[1], TWO[0]], "duration": "P10D", "auto_extend": false});
    let as_long_as_asked = json!({"roles": TWO});
    let same = [
        accept_by_link(&id, &token, &json!("as_requested")),
        accept_by_link(&id, &token, &reversed),
        accept_by_link(&id, &token, &as_long_as_asked),
        Call::post(path.as_str(), &by_another),
        Call::post(path.as_str(), &without_person),
    ];
    let by_key = [customer.accept(&id, &json!("as_requested")), customer.accept(&id, &asking(&TWO, "P10D"))];
    let repeated = async || {
        for call in &same {
            let again = world.send(call).await;
            again.expect(200);
            assert!(again.replayed());
            assert_eq!(again.body, first.body);
        }
        for call in &by_key {
            let again = world.send(call).await;
            let mut shown = again.expect(200);
            assert!(again.replayed());
            // The customer also sees who accepted.
            let person = shown["invitation"]["answer"].as_object_mut().unwrap().remove("accepted_by");
            assert_eq!(person.unwrap(), json!({"name": "Avery Howard", "email": "avery@contoso.example"}));
            assert_eq!(shown, first.json());
        }
        for other in [json!("refused"), asking(&TWO[..1], "P10D"), asking(&TWO, "P9D"), json!("nonsense"), Value::Null]
        {
            world.send(&accept_by_link(&id, &token, &other)).await.refused(409, "invalid_transition");
            world.send(&customer.accept(&id, &other)).await.refused(409, "invalid_transition");
        }
    };
    repeated().await;
    assert_eq!(world.event_types(&partner, 4).await, events);
    world.send(&partner.end(&customer)).await.expect(200);
    world.suspend(&partner).await;
    repeated().await;
    world.clock().advance_days(400);
    world.enrol(&customer, "public", "US").await;
    repeated().await;
}

#[tokio::test]
async fn the_customer_can_grant_less_than_requested_but_not_more() {
    let Some(world) = World::with_links().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let asked = json!({"roles": TWO, "duration": "P100D", "auto_extend": true});
    let (id, token) = world.open(&partner, &customer, asked).await;
    let decided = async |decision: &Value| world.send(&accept_by_link(&id, &token, decision)).await;
    for more in
        [asking(&["global_reader"], "P1D"), asking(&[TWO[0], TWO[1], "global_reader"], "P1D"), asking(&TWO, "P101D")]
    {
        decided(&more).await.refused(422, "roles_exceed_request");
    }
    for malformed in [json!({"duration": "P1D"}), json!({"roles": [], "duration": "P1D"}), json!("all"), Value::Null] {
        decided(&malformed).await.refused(422, "validation_failed");
    }
    assert_eq!(world.event_types(&partner, 3).await.len(), 3);
    let less = json!({"roles": [TWO[1]], "duration": "P100D", "auto_extend": true});
    assert_eq!(decided(&less).await.expect(200)["grant"]["auto_extend"], true);
}

#[tokio::test]
async fn a_decision_without_duration_grants_the_roles_for_as_long_as_was_asked() {
    let world = World::start().await;
    let partner = world.partner().await;
    for decision in [json!({"roles": [TWO[1]]}), json!({"roles": [TWO[1]], "duration": null})] {
        let customer = world.customer().await;
        let (id, _) = world.open(&partner, &customer, asking(&TWO, "P100D")).await;
        let accepted = world.send(&customer.accept(&id, &decision)).await.expect(200);
        let granted = json!({"roles": [TWO[1]], "duration": "P100D", "auto_extend": false});
        assert_eq!(accepted["invitation"]["answer"]["delegated_admin"], granted);
        let again = world.send(&customer.accept(&id, &asking(&TWO[1..], "P100D"))).await;
        assert!(again.expect(200) == accepted && again.replayed());
    }
}

#[tokio::test]
async fn an_extension_that_was_not_requested_exceeds_the_request() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, asking(&["global_reader"], "P1D")).await;
    let extended = json!({"roles": ["global_reader"], "duration": "P1D", "auto_extend": true});
    world.send(&accept_by_link(&id, &token, &extended)).await.refused(422, "roles_exceed_request");
    world.send(&customer.accept(&id, &extended)).await.refused(422, "roles_exceed_request");
}

#[tokio::test]
async fn a_decision_is_required_exactly_if_delegated_administration_is_requested() {
    let world = World::start().await;
    let (partner, one, two) = (world.partner().await, world.customer().await, world.customer().await);
    let (asks, token_asks) = world.open(&partner, &one, asking(&TWO, "P1D")).await;
    let (plain, token_plain) = world.open(&partner, &two, Value::Null).await;
    let silent = world.send(&accept_by_link(&asks, &token_asks, &Value::Null)).await;
    silent.refused(422, "validation_failed");
    assert_eq!(silent.pointers(), ["/delegated_admin"]);
    for said in [json!("as_requested"), json!("refused"), asking(&TWO[..1], "P1D")] {
        let answer = world.send(&accept_by_link(&plain, &token_plain, &said)).await;
        answer.refused(422, "validation_failed");
        assert_eq!(answer.pointers(), ["/delegated_admin"]);
    }
    let mut null = acceptance(&token_plain, &Value::Null);
    null["delegated_admin"] = Value::Null;
    world.send(&Call::post(format!("/v1/invitations/{plain}/accept"), &null)).await.expect(200);
    let refused = world.send(&accept_by_link(&asks, &token_asks, &json!("refused"))).await.expect(200);
    assert_eq!((&refused["grant"], &refused["relationship"]["state"]), (&Value::Null, &json!("active")));
    assert_eq!(refused["invitation"]["answer"]["delegated_admin"], Value::Null);
}

/// Every acceptance has several faults. The response has the first one in the contract's order.
#[tokio::test]
async fn an_acceptance_with_several_faults_gets_the_first_error_in_order() {
    let Some(world) = World::with_policy(|file| {
        file["versions"][0]["clouds"]["us_gov"]["accept_proof"] =
            json!({"relationship": "customer", "roles": "customer"});
    })
    .await
    else {
        return;
    };
    let partner = world.partner_in("us_gov", "US").await;
    let asked = asking(&TWO, "P10D");
    let open = async |customer: &Customer| world.open(&partner, customer, asked.clone()).await;
    let by_role = |id: &str, token: &str, role: &str, decision: &Value| {
        let mut body = acceptance(token, decision);
        body["accepted_by"]["role"] = json!(role);
        Call::post(format!("/v1/invitations/{id}/accept"), &body)
    };
    let customer = world.customer_in("us_gov", "US").await;
    let (cancelled, its_token) = open(&customer).await;
    world.send(&partner.cancel(&cancelled)).await.expect(200);
    let (expired, expired_token) = open(&customer).await;
    world.clock().advance_days(31);
    let csp = world.customer_in("us_gov", "US").await;
    let (pending, token) = open(&csp).await;
    world.enrol(&csp, "us_gov", "US").await;

    let wrong = json!("nonsense");
    for call in [
        by_role(&cancelled, "x", "sales_agent", &wrong),
        by_role(&expired, &its_token, "sales_agent", &wrong),
        by_role("inv_x", &its_token, "sales_agent", &wrong),
    ] {
        world.send(&call).await.refused(404, "not_found");
    }
    // It has also expired.
    world.send(&by_role(&cancelled, &its_token, "sales_agent", &wrong)).await.refused(409, "invalid_transition");
    world.send(&by_role(&expired, &expired_token, "sales_agent", &wrong)).await.refused(410, "invitation_expired");
    world.suspend(&partner).await;
    world.send(&by_role(&pending, &token, "sales_agent", &wrong)).await.refused(403, "approver_not_permitted");
    let nameless = csp
        .call("POST", &format!("/invitations/{pending}/accept"))
        .json(&json!({"version": 1, "delegated_admin": wrong}));
    for call in [&accept_by_link(&pending, &token, &wrong), &csp.accept(&pending, &wrong), &nameless] {
        world.send(call).await.refused(403, "partner_not_active");
    }
    let resume = Call::new("POST", format!("/v1/partners/{}/resume", partner.partner_id));
    world.operator(resume).await.expect(200);
    world.forget().await;
    assert_eq!(world.send(&nameless).await.pointers(), ["/accepted_by"]);
    let more = asking(&["global_reader"], "P1D");
    let by_link = |decision: &Value| accept_by_link(&pending, &token, decision);
    for accept in [&by_link as &dyn Fn(&Value) -> Call, &|decision| csp.accept(&pending, decision)] {
        assert_eq!(world.send(&accept(&wrong)).await.pointers(), ["/delegated_admin"]);
        world.send(&accept(&more)).await.refused(422, "roles_exceed_request");
        world.send(&accept(&json!("refused"))).await.refused(422, "delegated_admin_required");
    }
    // Only the link needs more proof. The table is asked last.
    world.send(&by_link(&json!("as_requested"))).await.refused(403, "accept_proof_required");
    world.send(&csp.accept(&pending, &json!("as_requested"))).await.refused(403, "customer_is_csp_tenant");
}

#[tokio::test]
async fn by_link_the_role_is_checked_before_the_partner_and_the_decision() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, asking(&TWO, "P10D")).await;
    world.suspend(&partner).await;
    let mut body = acceptance(&token, &json!("nonsense"));
    for role in ["sales_agent", "billing_admin", "owner"] {
        body["accepted_by"]["role"] = json!(role);
        let call = Call::post(format!("/v1/invitations/{id}/accept"), &body);
        world.send(&call).await.refused(403, "approver_not_permitted");
    }
    world.send(&accept_by_link(&id, &token, &json!("nonsense"))).await.refused(403, "partner_not_active");
}

/// If the policy requires a customer key, the link can preview and decline but not accept.
#[tokio::test]
async fn if_the_policy_requires_a_customer_key_a_link_can_not_accept() {
    let Some(world) = World::with_policy(|file| {
        file["versions"][0]["clouds"]["public"]["accept_proof"] = json!({"relationship": "customer", "roles": "link"});
        file["versions"][0]["clouds"]["us_gov"]["accept_proof"] = json!({"relationship": "link", "roles": "customer"});
    })
    .await
    else {
        return;
    };
    let (partner, one, two) = (world.partner().await, world.customer().await, world.customer().await);
    let (id, token) = world.open(&partner, &one, Value::Null).await;
    let shown = world.send(&preview(&id, &token)).await.expect(200);
    assert_eq!(shown["accept_proof"], json!({"relationship": "customer", "roles": "link"}));
    let refused = world.send(&accept_by_link(&id, &token, &Value::Null)).await;
    let refused = refused.refused(403, "accept_proof_required");
    assert!(refused["detail"].as_str().unwrap().contains("to start the relationship"), "{refused}");
    world.send(&one.accept(&id, &Value::Null)).await.expect(200);
    assert!(world.send(&accept_by_link(&id, &token, &Value::Null)).await.replayed());
    // Within the relationship, the link is enough to grant roles.
    let (id, token) = world.open(&partner, &one, asking(&TWO, "P10D")).await;
    world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.expect(200);
    let (id, token) = world.open(&partner, &two, Value::Null).await;
    world.send(&decline_by_link(&id, &token)).await.expect(200);

    // Here the link can start a relationship, but not grant roles.
    let (partner, customer) = (world.partner_in("us_gov", "US").await, world.customer_in("us_gov", "US").await);
    let (id, token) = world.open(&partner, &customer, asking(&TWO, "P10D")).await;
    let refused = world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await;
    let refused = refused.refused(403, "accept_proof_required");
    assert!(refused["detail"].as_str().unwrap().contains("to grant the roles"), "{refused}");
    world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
}

/// Otherwise a partner could undo the end with its own link, and grant itself roles.
#[tokio::test]
async fn only_the_customers_key_starts_an_ended_relationship_again() {
    let Some(world) = World::with_links().await else { return };
    for by_customer in [true, false] {
        let (partner, customer) = (world.partner().await, world.customer().await);
        world.relate(&partner, &customer).await;
        world.send(&if by_customer { customer.end(&partner) } else { partner.end(&customer) }).await.expect(200);
        world.tick();
        let (id, token) = world.open(&partner, &customer, asking(&["global_administrator"], "P730D")).await;
        let shown = world.send(&preview(&id, &token)).await.expect(200);
        assert_eq!(shown["accept_proof"], json!({"relationship": "customer", "roles": "link"}));
        for decision in [json!("as_requested"), json!("refused"), asking(&["global_administrator"], "P1D")] {
            let refused = world.send(&accept_by_link(&id, &token, &decision)).await;
            let refused = refused.refused(403, "accept_proof_required");
            assert!(refused["detail"].as_str().unwrap().contains("start again a relationship"), "{refused}");
        }
        let rows = world.items(&customer.call("GET", "/partners"), 1).await;
        assert_eq!(rows[0]["state"], "ended");
        let accepted = world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
        assert_eq!(accepted["relationship"]["state"], "active");
        let shown = world.send(&preview(&id, &token)).await.expect(200);
        assert_eq!(shown["accept_proof"], json!({"relationship": "link", "roles": "link"}));
        // Within the active relationship, the link grants roles as before.
        let (id, token) = world.open(&partner, &customer, asking(&TWO, "P10D")).await;
        world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.expect(200);
    }
}

#[tokio::test]
async fn to_start_again_the_proof_is_checked_before_the_tenant() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    world.send(&customer.end(&partner)).await.expect(200);
    world.tick();
    let (id, token) = world.open(&partner, &customer, Value::Null).await;
    world.enrol(&customer, "public", "US").await;
    world.send(&accept_by_link(&id, &token, &Value::Null)).await.refused(403, "accept_proof_required");
    world.send(&customer.accept(&id, &Value::Null)).await.refused(403, "customer_is_csp_tenant");
    world.send(&decline_by_link(&id, &token)).await.expect(200);
}

/// MP-43: the tenant is checked at every step. Existing relationships remain.
#[tokio::test]
async fn a_customer_that_enrols_keeps_relationships_but_can_not_start_new_ones() {
    let world = World::start().await;
    let (partner, other, customer) = (world.partner().await, world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let subscription = world.unique();
    world.send(&partner.register(&registration(&subscription, &customer))).await.expect(201);
    let (id, token) = world.open(&other, &customer, Value::Null).await;
    let before = world.items(&customer.call("GET", "/subscriptions"), 1).await;
    world.enrol(&customer, "public", "US").await;
    world.send(&accept_by_link(&id, &token, &Value::Null)).await.refused(403, "customer_is_csp_tenant");
    world.send(&customer.accept(&id, &Value::Null)).await.refused(403, "customer_is_csp_tenant");
    world.send(&other.renew(&id)).await.refused(403, "customer_is_csp_tenant");
    let another = registration(&world.unique(), &customer);
    world.send(&partner.register(&another)).await.refused(403, "customer_is_csp_tenant");
    world.send(&partner.register(&registration(&subscription, &customer))).await.expect(200);
    assert_eq!(world.items(&customer.call("GET", "/subscriptions"), 1).await, before);
    assert_eq!(world.items(&customer.call("GET", "/partners"), 1).await[0]["state"], "active");
    // Declining and ending are always possible.
    world.send(&decline_by_link(&id, &token)).await.expect(200);
    world.send(&customer.end(&partner)).await.expect(200);
}

#[tokio::test]
async fn a_grant_is_accepted_only_in_the_relationship_it_was_requested_in() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    world.tick();
    let (id, token) = world.open(&partner, &customer, asking(&TWO, "P10D")).await;
    world.send(&accept_by_link(&id, &token, &json!("refused"))).await.refused(422, "delegated_admin_required");
    world.send(&customer.end(&partner)).await.expect(200);
    let accept = accept_by_link(&id, &token, &json!("as_requested"));
    for again in [false, true] {
        if again {
            // The relationship is active again, but it is a new one.
            world.tick();
            world.relate(&partner, &customer).await;
        }
        for call in [&accept, &partner.renew(&id), &decline_by_link(&id, &token)] {
            world.send(call).await.refused(409, "invalid_transition");
        }
    }
}

/// Two clocks disagree: for one the old invitation has expired and there is a new one, for the other it is still pending.
#[tokio::test]
async fn an_invitation_that_was_replaced_has_expired() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (old, old_token) = world.open(&partner, &customer, Value::Null).await;
    world.clock().advance_days(30);
    let (new, new_token) = world.open(&partner, &customer, Value::Null).await;
    world.clock().advance_millis(-1);
    world.send(&accept_by_link(&old, &old_token, &Value::Null)).await.refused(410, "invitation_expired");
    world.send(&accept_by_link(&new, &new_token, &Value::Null)).await.expect(200);
}

#[tokio::test]
async fn an_invitation_expires_at_the_exact_millisecond() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, one, two) = (world.partner().await, world.customer().await, world.customer().await);
    let (in_time, its_token) = world.open(&partner, &one, Value::Null).await;
    let (late, late_token) = world.open(&partner, &two, Value::Null).await;
    world.clock().advance_millis(30 * 86_400_000 - 1);
    world.send(&accept_by_link(&in_time, &its_token, &Value::Null)).await.expect(200);
    world.clock().advance_millis(1);
    world.send(&accept_by_link(&late, &late_token, &Value::Null)).await.refused(410, "invitation_expired");
    world.send(&decline_by_link(&late, &late_token)).await.refused(410, "invitation_expired");
    assert_eq!(world.clock().now(), Timestamp::parse("2026-12-22T12:00:00Z").unwrap());
    let shown = world.send(&preview(&late, &late_token)).await.expect(200);
    assert_eq!(shown["invitation"]["state"], "expired");
}

#[tokio::test]
async fn declining_returns_the_invitation_with_the_reason() {
    let world = World::start().await;
    let (partner, one, two) = (world.partner().await, world.customer().await, world.customer().await);
    let (id, token) = world.open(&partner, &one, asking(&TWO, "P10D")).await;
    let path = format!("/v1/invitations/{id}/decline");
    let declined = world.send(&Call::post(path.as_str(), &json!({"token": token, "reason": "Not\nnow"}))).await;
    let invitation = declined.expect(200)["invitation"].clone();
    assert_eq!((&invitation["state"], &invitation["version"]), (&json!("declined"), &json!(2)));
    let decided_at = &invitation["answer"]["decided_at"];
    let answer = json!({"decision": "declined", "decided_at": decided_at, "reason": "Not\nnow", "proof": "link"});
    assert_eq!(invitation["answer"], answer);
    let events = world.event_types(&partner, 4).await;
    // Events are kept forever, so the customer's text is not in the event. Declining needs no role.
    let told = world.items(&partner.call("GET", &format!("/events?subject={id}")), 2).await;
    let told = told.iter().find(|event| event["type"] == "invitation.declined").expect("an event");
    let actor = json!({"kind": "link", "id": id, "role": null, "proof": "link"});
    assert_eq!((&told["data"], &told["actor"]), (&json!({}), &actor));
    for again in
        [json!({"token": token}), json!({"token": token, "reason": "Never"}), json!({"token": token, "reason": null})]
    {
        let answer = world.send(&Call::post(path.as_str(), &again)).await;
        answer.expect(200);
        assert!(answer.replayed() && answer.body == declined.body);
    }
    let by_key = world.send(&one.decline(&id)).await;
    assert!(by_key.replayed() && by_key.body == declined.body);
    assert_eq!(world.event_types(&partner, 4).await, events);

    // By key the body may be absent, and the reason may be null.
    let (id, token) = world.open(&partner, &two, Value::Null).await;
    let declined = world.send(&two.decline(&id)).await;
    let answer = &declined.expect(200)["invitation"]["answer"];
    assert_eq!(*answer, json!({"decision": "declined", "decided_at": answer["decided_at"], "proof": "key"}));
    assert!(world.send(&decline_by_link(&id, &token)).await.replayed());
    // After declining, another invitation can be created.
    world.open(&partner, &two, Value::Null).await;
}

#[tokio::test]
async fn a_suspended_partners_invitation_can_be_declined_but_not_accepted() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, one, two) = (world.partner().await, world.customer().await, world.customer().await);
    let (id, token) = world.open(&partner, &one, Value::Null).await;
    let (other, other_token) = world.open(&partner, &two, Value::Null).await;
    world.suspend(&partner).await;
    assert_eq!(world.send(&preview(&id, &token)).await.expect(200)["partner"]["status"], "suspended");
    world.send(&accept_by_link(&id, &token, &Value::Null)).await.refused(403, "partner_not_active");
    world.send(&one.accept(&id, &Value::Null)).await.refused(403, "partner_not_active");
    world.send(&decline_by_link(&id, &token)).await.expect(200);
    world.operator(Call::new("POST", format!("/v1/partners/{}/resume", partner.partner_id))).await.expect(200);
    world.forget().await;
    world.send(&accept_by_link(&other, &other_token, &Value::Null)).await.expect(200);
}

#[tokio::test]
async fn a_preview_is_complete_in_every_state_and_writes_nothing() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let domain = Call::new("PATCH", format!("/v1/partners/{}", partner.partner_id));
    world.operator(domain.json(&json!({"domain": "northwind.example"}))).await.expect(200);
    world.forget().await;
    let (id, token) = world.open(&partner, &customer, asking(&TWO, "P10D")).await;
    let before = world.table().await;
    for _ in 0..20 {
        let shown = world.send(&preview(&id, &token)).await.expect(200);
        let own = world.send(&partner.call("GET", &format!("/invitations/{id}"))).await.expect(200);
        assert_eq!(
            shown,
            json!({
                "invitation": own["invitation"],
                "partner": {
                    "name": "Northwind", "domain": "northwind.example", "cloud": "public", "market": "US",
                    "status": "active",
                },
                "customer": {"name": "Contoso"},
                "now": world.clock().now(), "sign_in": null,
                "requires_delegated_admin": false, "accept_proof": {"relationship": "link", "roles": "link"},
            })
        );
    }
    assert_eq!(world.table().await, before);
    let state = async |token: &str| {
        let shown: Answer = world.send(&preview(&id, token)).await;
        shown.expect(200)["invitation"]["state"].clone()
    };
    world.clock().advance_days(30);
    assert_eq!(state(&token).await, "expired");
    let (_, renewed) = link(&world.send(&partner.renew(&id)).await.expect(200));
    world.send(&preview(&id, &token)).await.refused(404, "not_found");
    assert_eq!(state(&renewed).await, "pending");
    world.send(&accept_by_link(&id, &renewed, &json!("refused"))).await.expect(200);
    assert_eq!(state(&renewed).await, "accepted");
}

#[tokio::test]
async fn a_renewal_invalidates_the_old_link_at_once_on_every_route() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, old) = world.open(&partner, &customer, Value::Null).await;
    let renew = partner.renew(&id).json(&json!({"expires_in_days": 90}));
    let renewed = world.send(&renew).await.expect(200);
    let (same, new) = link(&renewed);
    assert_eq!((same, &renewed["invitation"]["version"]), (id.clone(), &json!(2)));
    assert_eq!(renewed["accept_url"], format!("{}/i/{id}#{new}", world.base_url()));
    for dead in [preview(&id, &old), accept_by_link(&id, &old, &Value::Null), decline_by_link(&id, &old)] {
        world.send(&dead).await.refused(404, "not_found");
    }
    world.send(&accept_by_link(&id, &new, &Value::Null)).await.expect(200);
    world.send(&partner.renew(&id)).await.refused(409, "invalid_transition");
}

#[tokio::test]
async fn an_expired_invitation_can_be_renewed_unless_it_was_replaced() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (old, _) = world.open(&partner, &customer, Value::Null).await;
    world.clock().advance_days(40);
    let renewed = world.send(&partner.renew(&old).json(&json!({"expires_in_days": 1}))).await.expect(200);
    assert_eq!(renewed["invitation"]["state"], "pending");
    assert_eq!(renewed["invitation"]["expires_at"], "2027-01-02T12:00:00.000Z");
    world.clock().advance_days(1);
    let (new, token) = world.open(&partner, &customer, Value::Null).await;
    let pending = world.send(&partner.renew(&old)).await.refused(409, "invitation_pending");
    assert_eq!(pending["invitation_id"], json!(new));
    world.send(&accept_by_link(&new, &token, &Value::Null)).await.expect(200);
    world.send(&partner.renew(&old)).await.refused(409, "relationship_active");
}

/// An administrator accepts only what it was shown.
#[tokio::test]
async fn a_customers_key_accepts_only_the_version_that_it_names() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, _) = world.open(&partner, &customer, asking(&TWO[..1], "P10D")).await;
    let shown = async || {
        let call = customer.call("GET", &format!("/invitations/{id}"));
        world.send(&call).await.expect(200)["invitation"].clone()
    };
    assert_eq!(shown().await["version"], 1);
    let more = json!({"delegated_admin": asking(&["global_administrator"], "P730D")});
    world.send(&partner.renew(&id).json(&more)).await.expect(200);
    let changed = shown().await;
    assert_eq!((&changed["version"], &changed["delegated_admin"]["duration"]), (&json!(2), &json!("P730D")));
    let accept = |version: u64, decision: &Value| customer.accept_version(&id, version, decision);
    // A decision for another version is rejected, even if it also fits this one.
    for decision in
        [json!("as_requested"), json!("refused"), asking(&["global_administrator"], "P1D"), json!("nonsense")]
    {
        for version in [1, 3, u64::from(u32::MAX)] {
            world.send(&accept(version, &decision)).await.refused(409, "invitation_changed");
        }
    }
    let mut without = json!({"accepted_by": {"name": "Avery Howard", "email": "avery@contoso.example"}});
    without["delegated_admin"] = json!("as_requested");
    let path = format!("/invitations/{id}/accept");
    let missing = world.send(&customer.call("POST", &path).json(&without)).await;
    missing.refused(422, "validation_failed");
    assert_eq!(missing.pointers(), ["/version"]);
    world.suspend(&partner).await;
    world.send(&accept(1, &json!("refused"))).await.refused(409, "invitation_changed");
    world.send(&accept(2, &json!("refused"))).await.refused(403, "partner_not_active");
    world.operator(Call::new("POST", format!("/v1/partners/{}/resume", partner.partner_id))).await.expect(200);
    world.forget().await;
    let accepted = world.send(&accept(2, &json!("refused"))).await;
    assert_eq!(accepted.expect(200)["invitation"]["version"], 3);
    // Once it is accepted, only the decision is compared.
    for version in [1, 2, 3] {
        let again = world.send(&accept(version, &json!("refused"))).await;
        assert!(again.replayed() && again.body == accepted.body);
        world.send(&accept(version, &json!("as_requested"))).await.refused(409, "invalid_transition");
    }
}

#[tokio::test]
async fn an_expired_invitation_is_reported_before_its_version() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, _) = world.open(&partner, &customer, Value::Null).await;
    world.clock().advance_days(30);
    world.send(&customer.accept_version(&id, 7, &Value::Null)).await.refused(410, "invitation_expired");
}

#[tokio::test]
async fn a_customers_key_sees_the_same_preview_as_the_link_and_who_accepted() {
    let Some(world) = World::with_links().await else { return };
    let (partner, customer, other) = (world.partner().await, world.customer().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, asking(&TWO, "P10D")).await;
    let path = format!("/invitations/{id}");
    let read = customer.call("GET", &path);
    assert_eq!(world.send(&read).await.expect(200), world.send(&preview(&id, &token)).await.expect(200));
    world.send(&customer.accept(&id, &json!("refused"))).await.expect(200);
    let mut shown = world.send(&read).await.expect(200);
    let person = shown["invitation"]["answer"].as_object_mut().unwrap().remove("accepted_by");
    assert_eq!(person.unwrap()["name"], "Avery Howard");
    assert_eq!(shown, world.send(&preview(&id, &token)).await.expect(200));
    world.send(&other.call("GET", &path)).await.refused(404, "not_found");
    world.send(&customer.call("GET", "/invitations/inv_x")).await.refused(404, "not_found");
    let foreign = Call::get(format!("/v1/customers/{}{path}", customer.tenant_id)).key(&other.key);
    world.send(&foreign).await.refused(404, "not_found");
}
