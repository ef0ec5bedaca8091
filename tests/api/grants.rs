//! Grants: listed by their end, and read one by one.

use domain::Timestamp;
use platform::clock::Clock;
use serde_json::{Value, json};
use tests::parties::asking;
use tests::{Call, Customer, Partner, World};

/// Gives the partner a grant. Returns its id.
async fn grant(world: &World, partner: &Partner, customer: &Customer, asked: Value) -> String {
    world.tick();
    let (id, _) = world.open(partner, customer, asked).await;
    world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
    id.replace("inv_", "grt_")
}

fn days(days: u32) -> Value {
    asking(&["global_reader"], &format!("P{days}D"))
}

fn extending(days: u32) -> Value {
    let mut asked = self::days(days);
    asked["auto_extend"] = json!(true);
    asked
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["grant_id"].as_str().expect("an id")).collect()
}

fn states(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["state"].as_str().expect("a state")).collect()
}

/// Announces what is due.
async fn announce(world: &World) {
    local::jobs::run_expire_due(world.here().expect("the local system").0).await.expect("a report");
}

fn by_operator(world: &World, call: &Call) -> Call {
    Call::get(call.path.as_str()).key(world.operator_key())
}

#[tokio::test]
async fn grants_are_listed_soonest_end_first_on_both_sides_and_for_every_page_size() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, other) = (world.partner().await, world.partner().await);
    let (one, two) = (world.customer().await, world.customer().await);
    let middle = grant(&world, &partner, &one, days(20)).await;
    let last = grant(&world, &partner, &two, days(30)).await;
    let first = grant(&world, &partner, &one, days(10)).await;
    let foreign = grant(&world, &other, &one, days(15)).await;
    let of_partner = partner.call("GET", "/grants");
    let of_customer = one.call("GET", "/grants");
    let whole = world.items(&of_partner, 3).await;
    assert_eq!(ids(&whole), [&first, &middle, &last]);
    assert_eq!(ids(&world.items(&of_customer, 3).await), [&first, &foreign, &middle]);
    for list in [&of_partner, &of_customer] {
        let whole = world.items(list, 3).await;
        assert_eq!(world.all(&by_operator(&world, list)).await, whole);
        for limit in [1, 2, 3, 100] {
            let mut paged = list.clone();
            paged.path = format!("{}?limit={limit}", list.path);
            assert_eq!(world.all(&paged).await, whole, "{} by {limit}", list.path);
        }
    }
    // Each row is the grant as in the relationship, and as it is read alone.
    let rows = world.items(&partner.call("GET", "/customers"), 2).await;
    let in_rows: Vec<_> = rows.iter().flat_map(|row| row["grants"].as_array().expect("grants")).collect();
    for row in &whole {
        assert!(in_rows.contains(&row), "{row}");
        let path = format!("/grants/{}", row["grant_id"].as_str().expect("an id"));
        let read = partner.call("GET", &path);
        assert_eq!(world.send(&read).await.expect(200), json!({"grant": row}));
        assert_eq!(world.send(&by_operator(&world, &read)).await.expect(200), json!({"grant": row}));
    }
    let path = format!("/grants/{foreign}");
    let read = one.call("GET", &path);
    assert_eq!(world.send(&read).await.expect(200)["grant"]["partner_id"], json!(other.partner_id));
    assert_eq!(world.send(&by_operator(&world, &read)).await.expect(200)["grant"]["grant_id"], json!(foreign));
    for call in [partner.call("GET", &path), two.call("GET", &path), by_operator(&world, &partner.call("GET", &path))] {
        world.send(&call).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn grants_that_are_over_stay_in_the_list_and_are_filtered_by_their_current_state() {
    let Some(world) = World::with_clock().await else { return };
    let partner = world.partner().await;
    let (one, two) = (world.customer().await, world.customer().await);
    let expired = grant(&world, &partner, &one, days(10)).await;
    let ended = grant(&world, &partner, &one, days(20)).await;
    let active = grant(&world, &partner, &one, days(30)).await;
    let with_relationship = grant(&world, &partner, &two, days(40)).await;
    let extended = grant(&world, &partner, &one, extending(5)).await;
    world.clock().advance_days(1);
    world.send(&partner.call("DELETE", &format!("/grants/{ended}"))).await.expect(200);
    world.send(&partner.end(&two)).await.expect(200);
    world.clock().advance_days(10);
    let list = |query: &str| partner.call("GET", &format!("/grants{query}"));
    // No extension and no end is announced yet.
    let all = world.items(&list(""), 5).await;
    assert_eq!(ids(&all), [&extended, &expired, &ended, &active, &with_relationship]);
    assert_eq!(states(&all), ["active", "expired", "ended", "active", "ended"]);
    let in_state = async |query: &str, expected: &[&String]| {
        for limit in [1, 2, 100] {
            let found = world.items(&list(&format!("?{query}limit={limit}")), expected.len()).await;
            assert_eq!(ids(&found), expected, "{query}");
        }
    };
    let now = world.clock().now();
    for announced in [false, true] {
        in_state("state=expired&", &[&expired]).await;
        in_state("state=ended&", &[&ended, &with_relationship]).await;
        in_state("state=suspended&", &[]).await;
        let actives = if announced { [&active, &extended] } else { [&extended, &active] };
        in_state("state=active&", &actives).await;
        in_state(&format!("ends_before={}&", now.plus_days(9)), &[&expired, &ended]).await;
        in_state(&format!("state=active&ends_before={}&", now.plus_days(20)), &[&active]).await;
        in_state(&format!("state=expired&ends_before={}&", now.minus_days(2)), &[]).await;
        in_state("ends_before=1970-01-01T00:00:00Z&", &[]).await;
        announce(&world).await;
    }
    // The announced extension is the end that was written last.
    assert_eq!(ids(&world.items(&list(""), 5).await), [&expired, &ended, &active, &with_relationship, &extended]);
    world.suspend(&partner).await;
    let of_customer = one.call("GET", "/grants?state=suspended");
    assert_eq!(ids(&world.items(&of_customer, 2).await), [&active, &extended]);
    world.items(&one.call("GET", "/grants?state=active"), 0).await;
    world.send(&list("")).await.refused(403, "partner_not_active");
    assert_eq!(world.all(&by_operator(&world, &list("?state=suspended"))).await.len(), 2);
    let read = world.send(&one.call("GET", &format!("/grants/{active}"))).await.expect(200);
    assert_eq!(read["grant"]["state"], "suspended");
}

#[tokio::test]
async fn ends_before_leaves_out_the_time_itself() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    grant(&world, &partner, &customer, days(10)).await;
    let ends_at = world.items(&partner.call("GET", "/grants"), 1).await[0]["ends_at"].clone();
    let ends_at = Timestamp::parse(ends_at.as_str().expect("a time")).expect("a time");
    for (later, count) in [(-1, 0), (0, 0), (1, 1)] {
        let path = format!("/grants?ends_before={}", ends_at.plus_millis(later));
        world.items(&partner.call("GET", &path), count).await;
    }
}

#[tokio::test]
async fn a_narrowed_grant_moves_to_its_new_end() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let short = grant(&world, &partner, &customer, days(10)).await;
    let long = grant(&world, &partner, &customer, asking(&["directory_readers", "global_reader"], "P20D")).await;
    let order = async |expected: [&String; 2]| {
        for call in [partner.call("GET", "/grants"), customer.call("GET", "/grants")] {
            assert_eq!(ids(&world.items(&call, 2).await), expected);
        }
    };
    let narrow = async |body: Value| {
        world.send(&customer.call("PATCH", &format!("/grants/{long}")).json(&body)).await.expect(200);
    };
    order([&short, &long]).await;
    narrow(json!({"roles": ["global_reader"]})).await;
    order([&short, &long]).await;
    narrow(json!({"ends_at": world.now().plus_days(5)})).await;
    order([&long, &short]).await;
}

#[tokio::test]
async fn a_cursor_of_grants_is_valid_only_for_its_caller_and_filters() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    for length in [10, 20, 30] {
        grant(&world, &partner, &customer, days(length)).await;
    }
    let end = world.now().plus_days(25);
    let before = format!("ends_before={end}&");
    let cursor = async |query: &str| {
        let page = world.send(&partner.call("GET", &format!("/grants?{query}limit=1"))).await.expect(200);
        page["next_cursor"].as_str().expect("a cursor").to_owned()
    };
    let (all, some, active) = (cursor("").await, cursor(&before).await, cursor("state=active&").await);
    let with = |query: &str, cursor: &str| partner.call("GET", &format!("/grants?{query}cursor={cursor}"));
    world.send(&with("limit=2&", &all)).await.expect(200);
    world.send(&with(&before, &some)).await.expect(200);
    let other = format!("ends_before={}&", end.plus_millis(1));
    for foreign in [
        with(&before, &all),
        with("", &some),
        with(&other, &some),
        with("", &active),
        with("state=expired&", &active),
        customer.call("GET", &format!("/grants?cursor={all}")),
        by_operator(&world, &with("", &all)),
        partner.call("GET", &format!("/invitations?cursor={all}")),
        partner.call("GET", &format!("/customers?cursor={all}")),
    ] {
        world.send(&foreign).await.refused(400, "cursor_invalid");
    }
}

/// Most grants of a partner that has worked for long are over.
#[tokio::test]
async fn a_filter_by_state_skips_what_is_over_in_one_page() {
    let Some(world) = World::with_clock().await else { return };
    let partner = world.partner().await;
    for _ in 0..12 {
        let customer = world.customer().await;
        grant(&world, &partner, &customer, days(1)).await;
    }
    let customer = world.customer().await;
    let active = grant(&world, &partner, &customer, days(10)).await;
    world.clock().advance_days(2);
    announce(&world).await;
    let page = world.send(&partner.call("GET", "/grants?state=active&limit=2")).await.expect(200);
    assert_eq!(ids(page["items"].as_array().expect("items")), [&active]);
    assert_eq!(page.get("next_cursor"), None);
}

/// The proof of an answer is that of the caller who answered, and a row shows the proof that began its period.
#[tokio::test]
async fn answers_and_relationships_show_what_proved_who_answered() {
    let world = World::start().await;
    let partner = world.partner().await;
    let proof_of = async |customer: &Customer| {
        let ours = world.items(&partner.call("GET", "/customers"), 1).await.remove(0);
        let theirs = world.items(&customer.call("GET", "/partners"), 1).await.remove(0);
        assert_eq!(ours["proof"], theirs["proof"]);
        ours["proof"].clone()
    };
    let customer = world.customer().await;
    let (id, token) = world.open(&partner, &customer, Value::Null).await;
    let accepted = world.send(&tests::parties::accept_by_link(&id, &token, &Value::Null)).await.expect(200);
    assert_eq!(accepted["invitation"]["answer"]["proof"], "link");
    assert_eq!(proof_of(&customer).await, "link");
    // A grant within the period, accepted by key, does not change how the period began.
    let (id, _) = world.open(&partner, &customer, days(10)).await;
    let accepted = world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
    assert_eq!(accepted["invitation"]["answer"]["proof"], "key");
    assert_eq!(proof_of(&customer).await, "link");
    if world.is_deployment() {
        return;
    }
    world.send(&customer.end(&partner)).await.expect(200);
    assert_eq!(proof_of(&customer).await, "link");
    let (id, _) = world.open(&partner, &customer, Value::Null).await;
    world.send(&customer.accept(&id, &Value::Null)).await.expect(200);
    assert_eq!(proof_of(&customer).await, "key");
    // An operator that cancels proves itself with its own key.
    let (id, _) = world.open(&partner, &customer, days(10)).await;
    let cancelled = world.operator(Call::new("POST", partner.cancel(&id).path)).await.expect(200);
    let answer = json!({
        "decision": "cancelled", "decided_at": cancelled["invitation"]["answer"]["decided_at"], "proof": "key",
    });
    assert_eq!(cancelled["invitation"]["answer"], answer);
}
