//! Foreign resources and missing resources get the same response on every route of the template (MP-06, T20).

use std::collections::BTreeMap;

use local::template::Template;
use serde_json::{Value, json};
use tests::parties::{asking, registration};
use tests::{Answer, Call, Customer, Partner, World};

/// A partner, its customer, and one resource of each kind between them.
struct Side {
    partner: Partner,
    customer: Customer,
    ids: BTreeMap<&'static str, String>,
}

async fn side(world: &World) -> Side {
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (invitation, _) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    world.send(&customer.accept(&invitation, &json!("as_requested"))).await.expect(200);
    let subscription = world.unique();
    world.send(&partner.register(&registration(&subscription, &customer))).await.expect(201);
    let key_id = world.send(&Call::get("/v1/me").key(&partner.key)).await.expect(200)["key_id"].clone();
    // Every id is tried on the routes of both. The endpoint belongs to the partner.
    let endpoint = json!({"url": "https://hooks.example.com/in"});
    let endpoint = world.send(&partner.call("POST", "/endpoints").json(&endpoint)).await.expect(201);
    let ids = BTreeMap::from([
        ("endpoint_id", endpoint["endpoint"]["endpoint_id"].as_str().expect("an id").to_owned()),
        ("partner_id", partner.partner_id.clone()),
        ("tenant_id", customer.tenant_id.clone()),
        ("grant_id", invitation.replace("inv_", "grt_")),
        ("invitation_id", invitation),
        ("subscription_id", subscription),
        ("key_id", key_id.as_str().expect("an id").to_owned()),
    ]);
    Side { partner, customer, ids }
}

/// Well-formed ids that do not exist, and malformed ids.
fn missing(world: &World) -> [BTreeMap<&'static str, String>; 2] {
    let tail = "a".repeat(26);
    let well_formed = BTreeMap::from([
        ("partner_id", format!("ptr_{tail}")),
        ("tenant_id", world.tenant_id()),
        ("grant_id", format!("grt_{tail}")),
        ("invitation_id", format!("inv_{tail}")),
        ("subscription_id", "unknown".to_owned()),
        ("key_id", format!("key_{tail}")),
        ("endpoint_id", format!("ep_{tail}")),
    ]);
    let malformed = well_formed.keys().map(|name| (*name, "x%23y".to_owned())).collect();
    [well_formed, malformed]
}

/// The path with ids from `own`, or else from `others`.
fn path(template: &str, own: &BTreeMap<&str, String>, others: &BTreeMap<&str, String>) -> String {
    let segment = |segment: &str| {
        let name = segment.trim_matches(['{', '}']);
        if name == segment { segment.to_owned() } else { own.get(name).unwrap_or(&others[name]).clone() }
    };
    template.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn foreign_and_unknown_ids_get_the_same_404_on_every_route() {
    let world = World::start().await;
    let (mine, theirs) = (side(&world).await, side(&world).await);
    let before = world.table().await;
    let template = Template::built_in().expect("a template");
    let mut compared = 0;
    for route in &template.routes {
        // Routes without ids, public routes, and routes that reject all callers.
        let exempt = !route.path.contains('{')
            || route.function == "web"
            || (route.path.ends_with("/subscriptions/{subscription_id}") && route.method != "GET");
        if exempt {
            continue;
        }
        let (own, key): (&[&str], _) = match route.path.split('/').nth(2) {
            Some("partners") if route.function == "administer" => (&[], world.operator_key()),
            Some("partners") => (&["partner_id"], mine.partner.key.as_str()),
            Some("customers") if route.function == "administer" => (&[], world.operator_key()),
            Some("customers") => (&["tenant_id"], mine.customer.key.as_str()),
            Some("keys") => (&[], world.operator_key()),
            Some("invitations") if route.function == "administer" => (&[], world.operator_key()),
            Some("invitations") => (&[], ""),
            Some("webhooks") => {
                compared += webhooks(&world, &mine, &theirs, &route.path).await;
                continue;
            }
            other => panic!("{}: who calls {other:?}?", route.path),
        };
        let foreign = if own.is_empty() && key == world.operator_key() { None } else { Some(&theirs.ids) };
        // Either the owner in the path is foreign, or only the resource is.
        let whole = BTreeMap::new();
        let part: BTreeMap<&str, String> = own.iter().map(|name| (*name, mine.ids[name].clone())).collect();
        let names_more = route.path.matches('{').count() > own.len() && !own.is_empty();
        for own in [Some(&whole), names_more.then_some(&part)].into_iter().flatten() {
            let mut looks = Vec::new();
            for ids in foreign.into_iter().chain(&missing(&world)) {
                let call = Call::new(&route.method, path(&route.path, own, ids));
                let call = if key.is_empty() { call } else { call.key(key) };
                let answer = world.send(&body_for(call, &route.path)).await;
                answer.refused(404, "not_found");
                looks.push(answer.looks());
            }
            assert!(looks.iter().all(|look| *look == looks[0]), "{} {}: {looks:#?}", route.method, route.path);
            compared += 1;
        }
    }
    println!("{compared} combinations of route and id compared");
    assert!(compared >= 30, "{compared}");
    assert!(world.table().await == before);
}

/// Signed webhooks to a foreign and to an unknown partner: both responses only say that the signature is invalid.
async fn webhooks(world: &World, mine: &Side, theirs: &Side, template: &str) -> usize {
    let mut looks = Vec::new();
    let whole = BTreeMap::new();
    let now = world.now().seconds();
    for ids in [&theirs.ids].into_iter().chain(&missing(world)) {
        let mut call = mine.partner.webhook("/invitations", "a", now, b"{}");
        call.path = path(template, &whole, ids);
        let answer: Answer = world.send(&call).await;
        answer.refused(401, "signature_invalid");
        looks.push(answer.looks());
    }
    assert!(looks.iter().all(|look| *look == looks[0]), "{template}");
    1
}

/// Adds a valid body, so that only the ids are wrong.
fn body_for(call: Call, template: &str) -> Call {
    if call.method == "GET" {
        return call;
    }
    let accepted_by = json!({"name": "Avery", "email": "avery@contoso.example", "role": "global_admin"});
    let token = "A".repeat(43);
    let body = match template.rsplit('/').next() {
        Some("accept") if template.starts_with("/v1/invitations") => {
            json!({"token": token, "accepted_by": accepted_by, "delegated_admin": "as_requested"})
        }
        Some("accept") => {
            json!({"version": 1, "accepted_by": {"name": "Avery", "email": "avery@contoso.example"}, "delegated_admin": "as_requested"})
        }
        Some("preview") | Some("decline") if template.starts_with("/v1/invitations") => json!({"token": token}),
        Some("rotate") => json!({"grace_hours": 1}),
        Some("{partner_id}") | Some("{tenant_id}") if call.method == "PATCH" => json!({"name": "Other"}),
        Some("{endpoint_id}") if call.method == "PATCH" => json!({"description": "Other"}),
        Some("{grant_id}") if call.method == "PATCH" => json!({"auto_extend": false}),
        Some("{tenant_id}") if call.method == "PUT" => json!({"since": "2020-01-01T00:00:00Z"}),
        Some("batch") => json!({"subscriptions": []}),
        Some("endpoints") => json!({"url": "https://hooks.example.com/other"}),
        Some("resend") => json!({"since": "2026-11-22T12:00:00Z"}),
        Some("invitations") => return call.json(&json!({})).idempotency_key("a"),
        Some("subscriptions") => json!({}),
        _ => return call,
    };
    call.json(&body)
}

/// Malformed, unknown, revoked and foreign keys.
#[tokio::test]
async fn all_invalid_keys_get_the_same_response() {
    let world = World::start().await;
    let me = |key: &str| Call::get("/v1/me").key(key);
    let mut looks = Vec::new();
    for key in
        [format!("mpk_{}", "A".repeat(43)), "mpk_x".to_owned(), "x".to_owned(), world.operator_key().to_lowercase()]
    {
        let answer = world.send(&me(&key)).await;
        answer.refused(401, "key_invalid");
        looks.push(answer.looks());
    }
    assert!(looks.iter().all(|look: &(u16, Vec<(String, String)>, Value)| *look == looks[0]));
}
