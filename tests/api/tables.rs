//! Two tables: role × action × cloud, and state × command × caller. Each cell is tried, and its events are counted.

use serde_json::{Value, json};
use tests::parties::{accept_by_link, acceptance, asking, decline_by_link, preview, registration};
use tests::{Answer, Call, Customer, Partner, World};

const ROLES: [&str; 6] =
    ["global_admin", "user_management_admin", "sales_agent", "admin_agent", "helpdesk_agent", "billing_admin"];
const MAY_WRITE: [&str; 3] = ["global_admin", "user_management_admin", "sales_agent"];

/// The number of a customer's events, once there are `count`.
async fn events(world: &World, customer: &Customer, count: usize) -> usize {
    let path = format!("/v1/customers/{}/events?limit=100", customer.tenant_id);
    world.items(&Call::get(path).key(world.operator_key()), count).await.len()
}

/// MP-03, MP-04.
#[tokio::test]
async fn each_role_can_do_exactly_what_the_policy_allows_in_the_public_cloud() {
    assert_eq!(try_roles("public").await, policy());
}

#[tokio::test]
async fn each_role_can_do_exactly_what_the_policy_allows_in_us_gov() {
    assert_eq!(try_roles("us_gov").await, policy());
}

/// Each role, and whether it can write.
fn policy() -> Vec<(&'static str, bool)> {
    ROLES.iter().map(|role| (*role, MAY_WRITE.contains(role))).collect()
}

async fn try_roles(cloud: &str) -> Vec<(&'static str, bool)> {
    let world = World::start().await;
    let partner = world.partner_in(cloud, "US").await;
    let mut found = Vec::new();
    for role in ROLES {
        found.push((role, can_write(&world, cloud, &partner, role).await));
    }
    found
}

/// Tries every action with a role's key, in an order in which each is possible. Returns whether all writes succeeded. Reads
/// must succeed, and rejected writes must have no effect.
async fn can_write(world: &World, cloud: &str, partner: &Partner, role: &str) -> bool {
    let asked = asking(&["global_reader"], "P10D");
    let (related, invited) = (world.customer_in(cloud, "US").await, world.customer_in(cloud, "US").await);
    let new = world.customer_in(cloud, "US").await;
    let (accepted, _) = world.open(partner, &related, asked.clone()).await;
    world.send(&related.accept(&accepted, &json!("as_requested"))).await.expect(200);
    let (open, _) = world.open(partner, &invited, asked.clone()).await;
    let subscription = world.unique();
    world.send(&partner.register(&registration(&subscription, &related))).await.expect(201);
    let before = [events(world, &related, 5).await, events(world, &invited, 3).await, events(world, &new, 2).await];

    let caller = world.further_key(partner, &[role]).await;
    let grant = format!("/grants/{}", accepted.replace("inv_", "grt_"));
    let writes = [
        ("create", caller.asks(&new, &asked, &world.unique()), 201),
        ("renew", caller.renew(&open), 200),
        ("cancel", caller.cancel(&open), 200),
        ("register", caller.register(&registration(&world.unique(), &related)), 201),
        ("narrow", caller.call("PATCH", &grant).json(&json!({"ends_at": world.now().plus_days(5)})), 200),
        ("end grant", caller.call("DELETE", &format!("/grants/{}", accepted.replace("inv_", "grt_"))), 200),
        ("end", caller.end(&related), 200),
    ];
    let mut succeeded = 0;
    for (action, call, status) in &writes {
        let answer = world.send(call).await;
        let may = answer.status == *status;
        if !may {
            answer.refused(403, "role_not_permitted");
        }
        println!("{cloud:>6} {role:<21} {action:<9} {}", if may { "✓" } else { "–" });
        succeeded += usize::from(may);
    }
    assert!(succeeded == 0 || succeeded == writes.len(), "{role} can do some of the writes");
    for read in ["invitations", "customers", "grants", "subscriptions", "events"] {
        world.send(&caller.call("GET", &format!("/{read}"))).await.expect(200);
    }
    world.send(&caller.call("GET", &format!("/invitations/{open}"))).await.expect(200);
    world.send(&caller.call("GET", &format!("/subscriptions/{subscription}"))).await.expect(200);
    let wrote = if succeeded > 0 { [4, 2, 1] } else { [0, 0, 0] };
    for ((customer, before), wrote) in [&related, &invited, &new].into_iter().zip(before).zip(wrote) {
        events(world, customer, before + wrote).await;
    }
    succeeded > 0
}

#[tokio::test]
async fn unknown_roles_are_rejected() {
    let world = World::start().await;
    let partner = world.partner().await;
    for role in ["owner", "", "GLOBAL_ADMIN", "global_administrator", "operator", "global_admin "] {
        let principal = json!({"kind": "partner", "id": partner.partner_id});
        let body = json!({"principal": principal, "roles": ["sales_agent", role], "name": "test"});
        let answer = world.operator(Call::post("/v1/keys", &body)).await;
        answer.refused(422, "validation_failed");
        assert_eq!(answer.pointers(), ["/roles/1"], "{role}");
    }
}

#[tokio::test]
async fn one_permitted_role_of_several_is_enough_and_is_recorded() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    for (roles, acts_as) in [
        (&["billing_admin", "sales_agent", "helpdesk_agent"][..], "sales_agent"),
        (&["sales_agent", "user_management_admin"], "user_management_admin"),
        (&ROLES, "global_admin"),
    ] {
        let caller = world.further_key(&partner, roles).await;
        let (id, _) = world.open(&caller, &customer, Value::Null).await;
        let found = world.items(&partner.call("GET", &format!("/events?subject={id}")), 1).await;
        assert_eq!(found[0]["actor"]["role"], acts_as);
        world.send(&partner.cancel(&id)).await.expect(200);
    }
}

/// The table is data: another policy gives and removes permissions, also for webhooks.
#[tokio::test]
async fn a_different_policy_gives_different_permissions() {
    let Some(world) = World::with_policy(|file| {
        let roles = &mut file["versions"][0]["roles"];
        roles["actions"]["create_invitation"] = json!(["helpdesk_agent"]);
        roles["actions"].as_object_mut().unwrap().remove("end_grant");
        roles["actions"]["read"] = json!(["helpdesk_agent"]);
    })
    .await
    else {
        return;
    };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let helpdesk = world.further_key(&partner, &["helpdesk_agent"]).await;
    let asked = asking(&["global_reader"], "P10D");
    world.invite(&partner, &customer, asked.clone()).await.refused(403, "role_not_permitted");
    world.send(&partner.call("GET", "/invitations")).await.refused(403, "role_not_permitted");
    let webhook = partner.webhook("/invitations", "a", world.now().seconds(), b"{}");
    world.send(&webhook).await.refused(403, "role_not_permitted");
    let (id, _) = world.open(&helpdesk, &customer, asked).await;
    world.send(&helpdesk.cancel(&id)).await.refused(403, "role_not_permitted");
    world.send(&helpdesk.call("GET", "/invitations")).await.expect(200);
    // No role can do an action that is not in the policy.
    let grant = partner.call("DELETE", &format!("/grants/{}", id.replace("inv_", "grt_")));
    world.send(&grant).await.refused(403, "role_not_permitted");
}

/// MP-05.
#[tokio::test]
async fn by_link_only_a_global_administrator_can_accept() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, Value::Null).await;
    for role in ROLES.iter().chain(&["owner", "global_administrator", ""]).filter(|role| **role != "global_admin") {
        let mut body = acceptance(&token, &Value::Null);
        body["accepted_by"]["role"] = json!(role);
        let accept = Call::post(format!("/v1/invitations/{id}/accept"), &body);
        world.send(&accept).await.refused(403, "approver_not_permitted");
    }
    events(&world, &customer, 3).await;
}

/// An invitation in some state, and what is needed to act on it.
struct Scene {
    partner: Partner,
    customer: Customer,
    id: String,
    token: String,
    create: Call,
    fresh: String,
    /// By the operator.
    erase: Call,
    import: Call,
}

fn asked() -> Value {
    asking(&["directory_readers", "global_reader"], "P10D")
}

const STATES: [&str; 5] = ["pending", "accepted", "declined", "cancelled", "expired"];

async fn in_state(world: &World, state: &str) -> Scene {
    let (partner, customer) = (world.partner().await, world.customer().await);
    let create = partner.asks(&customer, &asked(), &world.unique());
    let (id, token) = tests::parties::link(&world.send(&create).await.expect(201));
    match state {
        "accepted" => world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.expect(200),
        "declined" => world.send(&decline_by_link(&id, &token)).await.expect(200),
        "cancelled" => world.send(&partner.cancel(&id)).await.expect(200),
        _ => Value::Null,
    };
    if state == "expired" {
        world.clock().advance_days(30);
    }
    let fresh = world.unique();
    let (erase, import) = (world.erase(&id), world.import(&partner, &customer));
    Scene { partner, customer, id, token, create, fresh, erase, import }
}

type Command = (&'static str, fn(&Scene) -> Call, [&'static str; 5]);

const OVER: &str = "410 invitation_expired +0";
const NO: &str = "409 invalid_transition +0";

/// The response to each command in each of [`STATES`], and the number of events it adds.
const COMMANDS: [Command; 18] = [
    ("preview", |s| preview(&s.id, &s.token), ["200 +0"; 5]),
    (
        "accept by link, the same decision",
        |s| accept_by_link(&s.id, &s.token, &json!("as_requested")),
        ["200 +1", "200 again +0", NO, NO, OVER],
    ),
    (
        "accept by link, another decision",
        |s| accept_by_link(&s.id, &s.token, &json!("refused")),
        ["200 +1", NO, NO, NO, OVER],
    ),
    (
        "accept by key, the same decision",
        |s| s.customer.accept(&s.id, &asked()),
        ["200 +1", "200 again +0", NO, NO, OVER],
    ),
    ("accept by key, another decision", |s| s.customer.accept(&s.id, &json!("refused")), ["200 +1", NO, NO, NO, OVER]),
    ("decline by link", |s| decline_by_link(&s.id, &s.token), ["200 +1", NO, "200 again +0", NO, OVER]),
    ("decline by key", |s| s.customer.decline(&s.id), ["200 +1", NO, "200 again +0", NO, OVER]),
    ("cancel", |s| s.partner.cancel(&s.id), ["200 +1", NO, NO, "200 again +0", OVER]),
    ("renew", |s| s.partner.renew(&s.id), ["200 +1", NO, NO, NO, "200 +1"]),
    ("create again, same key", |s| s.create.clone(), ["201 again +0"; 5]),
    (
        "create again, with roles",
        |s| s.partner.asks(&s.customer, &asked(), &s.fresh),
        ["409 invitation_pending +0", "201 +1", "201 +1", "201 +1", "201 +1"],
    ),
    (
        "create again, without roles",
        |s| s.partner.asks(&s.customer, &Value::Null, &s.fresh),
        ["409 invitation_pending +0", "409 relationship_active +0", "201 +1", "201 +1", "201 +1"],
    ),
    (
        "register",
        |s| s.partner.register(&registration(&s.fresh, &s.customer)),
        [
            "403 no_active_relationship +0",
            "201 +1",
            "403 no_active_relationship +0",
            "403 no_active_relationship +0",
            "403 no_active_relationship +0",
        ],
    ),
    (
        "register a batch",
        |s| s.partner.register_batch(&[registration(&s.fresh, &s.customer)]),
        ["200 +0", "200 +1", "200 +0", "200 +0", "200 +0"],
    ),
    (
        "narrow the grant",
        |s| s.customer.call("PATCH", &s.id.replace("inv_", "/grants/grt_")).json(&json!({"roles": ["global_reader"]})),
        ["404 not_found +0", "200 +1", "404 not_found +0", "404 not_found +0", "404 not_found +0"],
    ),
    ("import", |s| s.import.clone(), ["201 +1", "200 again +0", "201 +1", "201 +1", "201 +1"]),
    ("erase", |s| s.erase.clone(), ["200 +1"; 5]),
    (
        "end",
        |s| s.customer.end(&s.partner),
        ["404 not_found +0", "200 +1", "404 not_found +0", "404 not_found +0", "404 not_found +0"],
    ),
];

/// A response and its number of events, as in the table.
fn said(answer: &Answer, wrote: usize) -> String {
    let code = answer.code();
    if !code.is_empty() {
        answer.refused(answer.status, &code);
    }
    let again = if answer.replayed() { " again" } else { "" };
    let code = if code.is_empty() { code } else { format!(" {code}") };
    format!("{}{code}{again} +{wrote}", answer.status)
}

/// Tries every command in one state (MP-17).
/// Returns each command with its response, and what the table says.
async fn try_commands(state: &str) -> [Vec<(&'static str, String)>; 2] {
    let world = match state {
        "expired" => World::with_clock().await,
        // The table accepts by link.
        "pending" | "accepted" => World::with_links().await,
        _ => Some(World::start().await),
    };
    let Some(world) = world else {
        return [Vec::new(), Vec::new()];
    };
    let column = STATES.iter().position(|known| *known == state).expect("a state");
    let (mut found, mut table) = (Vec::new(), Vec::new());
    for (name, command, expected) in COMMANDS {
        let expected = expected[column];
        let scene = in_state(&world, state).await;
        let before = if ["pending", "expired"].contains(&state) { 3 } else { 4 };
        events(&world, &scene.customer, before).await;
        let answer = world.send(&command(&scene)).await;
        let adds: usize = expected.rsplit('+').next().and_then(|adds| adds.parse().ok()).expect("a number");
        let wrote = events(&world, &scene.customer, before + adds).await - before;
        let said = said(&answer, wrote);
        println!("{state:<9} {name:<33} {said}");
        found.push((name, said));
        table.push((name, expected.to_owned()));
    }
    [found, table]
}

#[tokio::test]
async fn each_command_does_what_the_table_says_when_pending() {
    let [found, table] = try_commands("pending").await;
    assert_eq!(found, table);
}

#[tokio::test]
async fn each_command_does_what_the_table_says_when_accepted() {
    let [found, table] = try_commands("accepted").await;
    assert_eq!(found, table);
}

#[tokio::test]
async fn each_command_does_what_the_table_says_when_declined() {
    let [found, table] = try_commands("declined").await;
    assert_eq!(found, table);
}

#[tokio::test]
async fn each_command_does_what_the_table_says_when_cancelled() {
    let [found, table] = try_commands("cancelled").await;
    assert_eq!(found, table);
}

#[tokio::test]
async fn each_command_does_what_the_table_says_when_expired() {
    let [found, table] = try_commands("expired").await;
    assert_eq!(found, table);
}

/// The state of an invitation is not revealed to callers without access.
#[tokio::test]
async fn a_caller_without_access_gets_the_same_response_in_every_state() {
    let Some(world) = World::with_clock().await else { return };
    let (stranger, other) = (world.partner().await, world.customer().await);
    let bearer = |call: Call, key: &str| {
        let mut call = call;
        call.headers.retain(|(name, _)| name != "authorization");
        if key.is_empty() { call } else { call.key(key) }
    };
    let operator = world.operator_key();
    for state in STATES {
        let scene = in_state(&world, state).await;
        let own = json!("as_requested");
        // An operator may cancel and end, but not act for the partner in any other way.
        let by_operator = [scene.partner.cancel(&scene.id), scene.partner.end(&scene.customer)];
        let by_partner = [scene.partner.renew(&scene.id), scene.create.clone()];
        let by_customer = [
            scene.customer.accept(&scene.id, &own),
            scene.customer.decline(&scene.id),
            scene.customer.end(&scene.partner),
        ];
        let tokens = ["", "x", &"A".repeat(43), &scene.token[1..], &scene.partner.key].map(str::to_owned);
        let before = world.table().await;
        for call in &by_partner {
            world.send(&bearer(call.clone(), operator)).await.refused(403, "role_not_permitted");
        }
        for call in by_partner.iter().chain(&by_operator) {
            for (key, status, code) in [
                ("", 401, "token_missing"),
                ("mpk_x", 401, "key_invalid"),
                (&stranger.key, 404, "not_found"),
                (&scene.customer.key, 404, "not_found"),
            ] {
                world.send(&bearer(call.clone(), key)).await.refused(status, code);
            }
        }
        for call in &by_customer {
            for (key, status, code) in [
                ("", 401, "token_missing"),
                ("mpk_x", 401, "key_invalid"),
                (operator, 403, "role_not_permitted"),
                (&other.key, 404, "not_found"),
                (&scene.partner.key, 404, "not_found"),
            ] {
                world.send(&bearer(call.clone(), key)).await.refused(status, code);
            }
        }
        for token in &tokens {
            for call in
                [preview(&scene.id, token), accept_by_link(&scene.id, token, &own), decline_by_link(&scene.id, token)]
            {
                world.send(&call).await.refused(404, "not_found");
            }
        }
        // The invitation of another partner or customer can't be reached by one's own path.
        for call in [
            stranger.cancel(&scene.id),
            stranger.renew(&scene.id),
            other.accept(&scene.id, &own),
            other.decline(&scene.id),
        ] {
            world.send(&call).await.refused(404, "not_found");
        }
        assert!(world.table().await == before, "{state}");
    }
}
