//! Bad input: every case of the data files gets exactly the expected response, and nothing is written.

use std::collections::BTreeMap;
use std::time::Duration;

use local::functions::FUNCTIONS;
use serde_json::{Value, json};
use tests::cases::{Case, Cases, Expected, Names};
use tests::here::function_of;
use tests::parties::{link, registration};
use tests::{Answer, Call, Customer, World};

pub(crate) const REQUESTS: &str = include_str!("../data/bad-requests.json");
pub(crate) const EVENTS: &str = include_str!("../data/bad-events.json");

/// The number of cases between two reads of the table.
const AT_ONCE: usize = 16;

#[tokio::test]
async fn every_bad_request_gets_the_expected_response_and_writes_nothing() {
    let world = World::start().await;
    let file = Cases::read(REQUESTS);
    let names = scene(&world).await;
    let sent = async |case: &Case| {
        let case = file.call(case, &names.and("unique", &world.unique()), world.now().seconds());
        world.send(&case).await
    };
    let cases: Vec<_> = file.cases.iter().filter(|case| !(case.here && world.is_deployment())).collect();
    walk(&world, &cases, sent).await;
    print_groups(&file);
    // On a deployment a link does not grant the roles for which the base `accept` asks.
    for name in file.bases().filter(|name| !(world.is_deployment() && *name == "accept")) {
        let call = file.base(name, &names.and("unique", &world.unique()), world.now().seconds());
        let answer = world.send(&call).await;
        assert!((200..300).contains(&answer.status), "the base `{name}` fails: {answer:?}");
    }
}

#[tokio::test]
async fn every_bad_event_gets_the_expected_response_and_writes_nothing() {
    let Some(world) = World::with_clock().await else { return };
    let file = Cases::read(EVENTS);
    let names = scene(&world).await;
    let sent = async |case: &Case| {
        let event = file.event(case, &names.and("unique", &world.unique()), world.now().seconds());
        let function = match case.function() {
            Some(name) => FUNCTIONS.iter().find(|function| function.name == name),
            None => function_of(file.route(&case.base)),
        };
        world.invoke(function.expect("a function"), &event, Duration::from_secs(case.remaining())).await
    };
    walk(&world, &file.cases.iter().collect::<Vec<_>>(), sent).await;
    print_groups(&file);
    for name in file.bases() {
        let event = file.base_event(name, &names.and("unique", &world.unique()), world.now().seconds());
        let function = function_of(file.route(name)).expect("a function");
        let answer = world.invoke(function, &event, Duration::from_secs(10)).await;
        assert!((200..300).contains(&answer.status), "the base `{name}` fails: {answer:?}");
    }
}

/// The groups of bad input are numbered 1 to 66. The list below says where the groups without cases are tested.
#[test]
fn every_group_of_bad_input_that_can_reach_a_route_has_cases() {
    let elsewhere = [
        (33, "webhooks.rs: a clock at 1970; shared/platform/src/secrets/signature: a clock before 1970"),
        (60, "tests/webhooks/endpoints.rs: the URLs of endpoints; shared/platform/src/outbound: valid URLs"),
    ];
    let mut groups = Cases::read(REQUESTS).groups();
    for (group, count) in Cases::read(EVENTS).groups() {
        *groups.entry(group).or_default() += count;
    }
    let missing: Vec<_> = (1..=66).filter(|group| !groups.contains_key(group)).collect();
    assert_eq!(missing, elsewhere.map(|(group, _)| group));
    assert!(groups.values().sum::<usize>() >= 1_500);
}

/// Sends every case and compares every response. Asserts that the table does not change.
async fn walk(world: &World, cases: &[&Case], sent: impl AsyncFn(&Case) -> Answer) {
    let before = world.table().await;
    let mut failed = Vec::new();
    for some in cases.chunks(AT_ONCE) {
        for case in some {
            if let Err(wrong) = check(&sent(case).await, &case.expected) {
                failed.push(format!("{} · {} · {}: {wrong}", case.group, case.base, case.name));
            }
        }
        if world.table().await != before {
            let names: Vec<_> = some.iter().map(|case| format!("{} · {}", case.base, case.name)).collect();
            failed.push(format!("one of these wrote something: {names:#?}"));
            break;
        }
    }
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

/// Compares a response with the expected one. A problem's complete shape is checked.
pub(crate) fn check(answer: &Answer, expected: &Expected) -> Result<(), String> {
    let got = || format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
    match expected.code.as_str() {
        "" if answer.status == expected.status && answer.code().is_empty() => Ok(()),
        "gateway" => {
            let message = answer.json();
            let plain = message["message"].is_string() && message.as_object().is_some_and(|members| members.len() == 1);
            if answer.status == expected.status && plain { Ok(()) } else { Err(got()) }
        }
        code if (answer.status, answer.code().as_str()) != (expected.status, code) => Err(got()),
        code => {
            answer.refused(expected.status, code);
            match &expected.pointer {
                Some(pointer) if !answer.pointers().contains(pointer) => Err(format!("no {pointer} in {}", got())),
                _ => Ok(()),
            }
        }
    }
}

pub(crate) fn print_groups(file: &Cases) {
    let groups: Vec<_> = file.groups().iter().map(|(group, count)| format!("{group}: {count}")).collect();
    println!("{} cases, by group: {}", file.cases.len(), groups.join(", "));
}

/// Creates the parties and resources that the cases refer to.
pub(crate) async fn scene(world: &World) -> Names {
    let (partner, other) = (world.partner().await, world.partner().await);
    let (customer, invitee) = (world.customer().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let mut names = BTreeMap::new();
    let mut name = |name: &str, value: &str| names.insert(name.to_owned(), value.to_owned());
    name("base_url", world.base_url());
    name("operator_key", world.operator_key());
    name("partner", &partner.partner_id);
    name("partner_key", &partner.key);
    name("partner_tenant", &partner.tenant_id);
    name("signing_secret", &partner.signing_secret);
    name("other", &other.partner_id);
    name("other_key", &other.key);
    name("other_tenant", &other.tenant_id);
    name("other_signing_secret", &other.signing_secret);
    name("customer", &customer.tenant_id);
    name("customer_key", &customer.key);
    name("invitee", &invitee.tenant_id);
    name("invitee_key", &invitee.key);
    for unregistered in ["unknown_tenant", "new_tenant", "new_csp_tenant"] {
        name(unregistered, &world.tenant_id());
    }
    let tail = "a".repeat(26);
    for (unknown, prefix) in [("unknown_partner", "ptr_"), ("unknown_invitation", "inv_"), ("unknown_key", "key_")] {
        name(unknown, &format!("{prefix}{tail}"));
    }
    for (place, cloud, market) in [
        ("newcomer", "public", "US"),
        ("stranger", "public", "US"),
        ("gov_customer", "us_gov", "US"),
        ("french_customer", "public", "FR"),
    ] {
        name(place, &world.customer_in(cloud, market).await.tenant_id);
    }

    let asked = json!({"roles": ["directory_readers", "helpdesk_administrator"], "duration": "P365D"});
    let open =
        async |inviting, customer: &Customer| link(&world.invite(inviting, customer, asked.clone()).await.expect(201));
    let (invitation, token) = open(&partner, &world.customer().await).await;
    name("grant", &invitation.replace("inv_", "grt_"));
    name("invitation", &invitation);
    name("token", &token);
    name("by_key", &open(&partner, &invitee).await.0);
    name("to_decline_by_key", &open(&other, &invitee).await.0);
    name("to_cancel", &open(&partner, &world.customer().await).await.0);
    for (id, its_token) in [("to_decline", "token_to_decline"), ("to_renew", "token_to_renew")] {
        let (invitation, token) = open(&partner, &world.customer().await).await;
        name(id, &invitation);
        name(its_token, &token);
    }

    let subscription = world.unique();
    let registered = world.send(&partner.register(&registration(&subscription, &customer))).await.expect(201);
    name("subscription", registered["subscription"]["subscription_id"].as_str().expect("an id"));
    name("subscription_upper", &subscription.to_uppercase());
    let body = json!({"customer_tenant_id": world.customer().await.tenant_id, "delegated_admin": null});
    for used in ["used_key", "used_webhook_id", "used_access_key"] {
        name(used, &world.unique());
    }
    let used = |name: &str| names[name].clone();
    world.send(&partner.create(&body).idempotency_key(used("used_key"))).await.expect(201);
    let data = json!({"customer_tenant_id": world.customer().await.tenant_id, "delegated_admin": null});
    let envelope = json!({"type": "invitation.create", "timestamp": "2026-11-22T12:00:00Z", "data": data}).to_string();
    let now = world.now().seconds();
    let webhook = partner.webhook("/invitations", &used("used_webhook_id"), now, envelope.as_bytes());
    world.send(&webhook).await.expect(201);
    let principal = json!({"kind": "partner", "id": partner.partner_id});
    let key = json!({"principal": principal, "roles": ["billing_admin"], "name": "used"});
    let issue = Call::post("/v1/keys", &key).idempotency_key(used("used_access_key"));
    let issued = world.operator(issue).await.expect(201);
    names.insert(
        "key_to_revoke".into(),
        issued["key_id"].as_str().map(Value::from).expect("an id").as_str().expect("text").to_owned(),
    );
    Names(names)
}
