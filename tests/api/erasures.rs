//! Erasing the personal data of invitations, in every state.

use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, decline_by_link, link, preview};
use tests::{Answer, Call, Customer, Partner, World};

const STATES: [&str; 5] = ["pending", "accepted", "declined", "cancelled", "expired"];

/// An invitation with every personal text that its state can have.
struct Scene {
    partner: Partner,
    customer: Customer,
    create: Call,
    id: String,
    token: String,
}

async fn in_state(world: &World, state: &str) -> Scene {
    let (partner, customer) = (world.partner().await, world.customer().await);
    let body = json!({
        "customer_tenant_id": customer.tenant_id, "delegated_admin": asking(&["global_reader"], "P10D"),
        "message": "Hello Kim Akers", "contact_email": "kim@contoso.example", "external_reference": "order 4711",
    });
    let create = partner.create(&body).idempotency_key(world.unique());
    let (id, token) = link(&world.send(&create).await.expect(201));
    let decline = customer.decline(&id).json(&json!({"reason": "Kim left."}));
    match state {
        "accepted" => drop(world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200)),
        "declined" => drop(world.send(&decline).await.expect(200)),
        "cancelled" => drop(world.send(&partner.cancel(&id)).await.expect(200)),
        "expired" => world.clock().advance_days(30),
        _ => {}
    }
    Scene { partner, customer, create, id, token }
}

/// What the operator erases in a state, in the event's order.
fn texts(state: &str) -> Vec<&'static str> {
    let of_answer = match state {
        "accepted" => Some("accepted_by"),
        "declined" => Some("reason"),
        _ => None,
    };
    ["message", "contact_email"].into_iter().chain(of_answer).collect()
}

/// The number of texts that the audit counts as erased. It fails if a record is not as its events left it.
async fn verified(world: &World) -> usize {
    let (local, _) = world.here().expect("the local system");
    local::verify::audit(local.client(), local.table()).await.expect("every record is as its events left it").erased
}

/// Without the members that are erased.
fn without_personal(invitation: &Value) -> Value {
    let mut left = invitation.clone();
    left["message"] = Value::Null;
    let members = left.as_object_mut().expect("an invitation");
    members.remove("contact_email");
    if let Some(answer) = members.get_mut("answer").and_then(Value::as_object_mut) {
        answer.remove("accepted_by");
        if answer["decision"] == "declined" {
            answer.remove("reason");
        }
    }
    left
}

/// Every read of the invitation.
async fn reads(world: &World, scene: &Scene) -> Vec<(Call, Answer)> {
    let one = format!("/invitations/{}", scene.id);
    let by_operator = format!("/v1/partners/{}{one}", scene.partner.partner_id);
    let calls = [
        scene.partner.call("GET", &one),
        scene.partner.call("GET", "/invitations"),
        scene.customer.call("GET", &one),
        scene.customer.call("GET", "/invitations"),
        Call::get(by_operator).key(world.operator_key()),
        preview(&scene.id, &scene.token),
        scene.create.clone(),
    ];
    let mut answers = Vec::new();
    for call in calls {
        let answer = world.send(&call).await;
        assert!(answer.status < 300, "{}", String::from_utf8_lossy(&answer.body));
        answers.push((call, answer));
    }
    answers
}

fn invitation_of(answer: &Answer) -> Value {
    let body = answer.json();
    if body["items"].is_array() { body["items"][0].clone() } else { body["invitation"].clone() }
}

#[tokio::test]
async fn in_every_state_all_that_is_personal_is_gone_and_everything_else_stays() {
    let Some(world) = World::with_clock().await else { return };
    let mut erased = 0;
    for state in STATES {
        let scene = in_state(&world, state).await;
        let before = reads(&world, &scene).await;
        world.tick();
        let answer = world.send(&world.erase(&scene.id)).await;
        let shown = answer.expect(200)["invitation"].clone();
        assert!(!answer.replayed());
        assert_eq!((&shown["state"], &shown["external_reference"]), (&json!(state), &json!("order 4711")));
        erased += texts(state).len();
        assert_eq!(verified(&world).await, erased, "{state}");
        for (call, answer) in &before {
            let after = world.send(call).await;
            assert_eq!(invitation_of(&after), without_personal(&invitation_of(answer)), "{state}: {}", call.path);
            let text = String::from_utf8_lossy(&after.body);
            assert!(!["Kim", "kim@", "Avery", "avery@"].iter().any(|name| text.contains(name)), "{state}: {text}");
        }
        // The table has no text and no salt of it either.
        let table = world.table().await;
        let item = &table[&(format!("INVITATION#{}", scene.id), "INVITATION".to_owned())];
        for name in ["message", "contact_email", "reason", "salt", "by_name", "by_email", "by_salt", "renewal"] {
            assert!(!item.contains_key(name), "{state}: {name}");
        }
        let all = format!("/v1/events?limit=100&subject={}", scene.id);
        let events = world.all(&Call::get(all).key(world.operator_key())).await;
        let of_type: Vec<_> = events.iter().filter(|event| event["type"] == "invitation.erased").collect();
        assert_eq!(of_type.len(), 1);
        assert_eq!(of_type[0]["data"], json!({"erased": texts(state)}));
        assert_eq!((&of_type[0]["actor"]["kind"], &of_type[0]["actor"]["proof"]), (&json!("operator"), &json!("key")));
        // A repeat changes nothing.
        world.tick();
        let again = world.send(&world.erase(&scene.id)).await;
        assert!(again.replayed());
        assert_eq!(again.json(), answer.json());
        assert!(world.table().await == table, "{state}");
    }
}

/// Each command does in each state what it does without the erasure.
#[tokio::test]
async fn every_command_works_on_an_erased_invitation() {
    let Some(world) = World::with_clock().await else { return };
    type Command = (&'static str, fn(&Scene) -> Call, [u16; 5]);
    let commands: [Command; 7] = [
        ("accept by link", |s| accept_by_link(&s.id, &s.token, &json!("as_requested")), [200, 200, 409, 409, 410]),
        ("accept by key", |s| s.customer.accept(&s.id, &json!("as_requested")), [200, 200, 409, 409, 410]),
        ("accept otherwise", |s| s.customer.accept(&s.id, &json!("refused")), [200, 409, 409, 409, 410]),
        ("decline by link", |s| decline_by_link(&s.id, &s.token), [200, 409, 200, 409, 410]),
        ("decline by key", |s| s.customer.decline(&s.id), [200, 409, 200, 409, 410]),
        ("cancel", |s| s.partner.cancel(&s.id), [200, 409, 409, 200, 410]),
        ("renew", |s| s.partner.renew(&s.id), [200, 409, 409, 409, 200]),
    ];
    for (name, command, statuses) in commands {
        for (state, status) in STATES.into_iter().zip(statuses) {
            let scene = in_state(&world, state).await;
            world.send(&world.erase(&scene.id)).await.expect(200);
            world.tick();
            let answer = world.send(&command(&scene)).await;
            assert_eq!(answer.status, status, "{name} when {state}: {}", String::from_utf8_lossy(&answer.body));
        }
    }
    verified(&world).await;
}

/// The first response, byte for byte but for what was erased.
#[tokio::test]
async fn an_acceptance_is_replayed_without_the_person() {
    let Some(world) = World::with_clock().await else { return };
    for by_link in [true, false] {
        let scene = in_state(&world, "pending").await;
        let decision = json!("as_requested");
        let accept = if by_link {
            accept_by_link(&scene.id, &scene.token, &decision)
        } else {
            scene.customer.accept(&scene.id, &decision)
        };
        let first = world.send(&accept).await.expect(200);
        world.send(&world.erase(&scene.id)).await.expect(200);
        world.tick();
        let again = world.send(&accept).await;
        assert!(again.replayed());
        let mut expected = first.clone();
        expected["invitation"] = without_personal(&first["invitation"]);
        assert_eq!(again.expect(200), expected);
        let other = scene.customer.accept(&scene.id, &json!("refused"));
        world.send(&other).await.refused(409, "invalid_transition");
    }
}

#[tokio::test]
async fn a_renewal_and_an_answer_add_texts_that_can_be_erased_again() {
    let Some(world) = World::with_clock().await else { return };
    let scene = in_state(&world, "pending").await;
    world.send(&world.erase(&scene.id)).await.expect(200);
    world.tick();
    let renewed = world.send(&scene.partner.renew(&scene.id)).await.expect(200);
    assert_eq!(renewed["invitation"]["message"], Value::Null, "a renewal without a message brings nothing back");
    let renewed =
        world.send(&scene.partner.renew(&scene.id).json(&json!({"message": "Hello Avery"}))).await.expect(200);
    assert_eq!(renewed["invitation"]["message"], "Hello Avery");
    assert_eq!(verified(&world).await, 1, "only the contact is still erased");
    let version = renewed["invitation"]["version"].as_u64().expect("a version");
    let accept = scene.customer.accept_version(&scene.id, version, &json!("as_requested"));
    world.send(&accept).await.expect(200);
    world.tick();
    let answer = world.send(&world.erase(&scene.id)).await;
    assert!(!answer.replayed());
    let answer = answer.expect(200);
    assert_eq!(answer["invitation"]["message"], Value::Null);
    assert_eq!(answer["invitation"]["answer"].get("accepted_by"), None);
    assert_eq!(verified(&world).await, 3);
    assert!(world.send(&world.erase(&scene.id)).await.replayed());
}

/// The end of a relationship cancels its open invitation without an event of it.
#[tokio::test]
async fn an_erased_invitation_can_be_cancelled_with_its_relationship_before_and_after() {
    let Some(world) = World::with_clock().await else { return };
    for erased_first in [true, false] {
        let scene = in_state(&world, "accepted").await;
        let (open, _) = world.open(&scene.partner, &scene.customer, asking(&["directory_readers"], "P10D")).await;
        let erase = world.erase(&open);
        if erased_first {
            world.send(&erase).await.expect(200);
        }
        world.tick();
        world.send(&scene.customer.end(&scene.partner)).await.expect(200);
        if !erased_first {
            world.send(&erase).await.expect(200);
        }
        let read = scene.partner.call("GET", &format!("/invitations/{open}"));
        let answer = world.send(&read).await.expect(200)["invitation"]["answer"].clone();
        assert_eq!((&answer["decision"], &answer["reason"]), (&json!("cancelled"), &json!("relationship_ended")));
        verified(&world).await;
    }
}

#[tokio::test]
async fn an_invitation_without_personal_data_is_erased_once() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, _) = world.open(&partner, &customer, Value::Null).await;
    world.tick();
    world.send(&world.erase(&id)).await.expect(200);
    assert!(world.send(&world.erase(&id)).await.replayed());
    let events = world.items(&partner.call("GET", &format!("/events?subject={id}")), 2).await;
    let erased = events.iter().find(|event| event["type"] == "invitation.erased").expect("an event");
    assert_eq!(erased["data"], json!({"erased": []}));
}

#[tokio::test]
async fn only_an_operator_erases() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, Value::Null).await;
    let path = format!("/v1/invitations/{id}/erase");
    for (key, status, code) in [
        ("", 401, "token_missing"),
        ("mpk_x", 401, "key_invalid"),
        (partner.key.as_str(), 403, "role_not_permitted"),
        (customer.key.as_str(), 403, "role_not_permitted"),
    ] {
        let call = Call::new("POST", path.as_str());
        world.send(&if key.is_empty() { call } else { call.key(key) }).await.refused(status, code);
    }
    let with_token = world.erase(&id).json(&json!({"token": token}));
    world.send(&with_token).await.refused(422, "validation_failed");
    for id in [format!("inv_{}", "a".repeat(26)), "x".into()] {
        world.send(&world.erase(&id)).await.refused(404, "not_found");
    }
    let events = world.items(&partner.call("GET", &format!("/events?subject={id}")), 1).await;
    assert_eq!(events.len(), 1);
}
