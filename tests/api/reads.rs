//! Reading: pages, filters, cursors, ETag, and access.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, decline_by_link, key_id, registration};
use tests::{Call, Customer, Partner, World};

/// A partner with three invitations in three states, two customers and five subscriptions. Returns the customers as well.
async fn scene(world: &World) -> (Partner, Customer, Customer) {
    let (partner, one, two) = (world.partner().await, world.customer().await, world.customer().await);
    for customer in [&one, &two] {
        world.tick();
        let (id, token) = world.open(&partner, customer, asking(&["global_reader"], "P10D")).await;
        world.tick();
        world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.expect(200);
    }
    for customer in [&one, &two, &one, &two, &one] {
        world.tick();
        world.send(&partner.register(&registration(&world.unique(), customer))).await.expect(201);
    }
    world.tick();
    let (id, token) = world.open(&partner, &one, asking(&["global_reader"], "P10D")).await;
    world.tick();
    world.send(&decline_by_link(&id, &token)).await.expect(200);
    world.tick();
    (partner, one, two)
}

/// Every list as a call, the number of its items in [`scene`], and the member that it is sorted by.
fn lists(partner: &Partner, one: &Customer, operator: &str) -> Vec<(Call, usize, &'static str)> {
    let by_operator = |path: &str| Call::get(path).key(operator);
    vec![
        (partner.call("GET", "/invitations"), 3, "/created_at"),
        (partner.call("GET", "/customers"), 2, "/since"),
        (partner.call("GET", "/subscriptions"), 5, "/registered_at"),
        (partner.call("GET", "/events"), 13, "/occurred_at"),
        (one.call("GET", "/partners"), 1, "/since"),
        (one.call("GET", "/invitations"), 2, "/created_at"),
        (one.call("GET", "/subscriptions"), 3, "/registered_at"),
        (one.call("GET", "/events"), 9, "/occurred_at"),
        (by_operator(&format!("/v1/partners/{}/invitations", partner.partner_id)), 3, "/created_at"),
        (by_operator(&format!("/v1/customers/{}/events", one.tenant_id)), 9, "/occurred_at"),
        (by_operator("/v1/customers"), 3, "/created_at"),
        (by_operator("/v1/partners"), 1, "/created_at"),
        (by_operator("/v1/keys"), 3, "/created_at"),
        (by_operator("/v1/events"), 17, "/occurred_at"),
    ]
}

#[tokio::test]
async fn every_list_is_complete_and_newest_first_for_every_page_size() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, one, _) = scene(&world).await;
    for (list, count, order) in lists(&partner, &one, world.operator_key()) {
        let whole = world.items(&list, count).await;
        let times: Vec<_> = whole.iter().map(|item| item.pointer(order).unwrap().as_str().unwrap()).collect();
        assert!(times.is_sorted_by(|a, b| a >= b), "{}: {times:?}", list.path);
        let distinct: BTreeSet<_> = whole.iter().map(Value::to_string).collect();
        assert_eq!(distinct.len(), count, "{}", list.path);
        for limit in [1, 2, 3, 100] {
            let mut paged = list.clone();
            paged.path = format!("{}?limit={limit}", list.path);
            assert_eq!(world.all(&paged).await, whole, "{} by {limit}", list.path);
            let page = world.send(&paged).await.expect(200);
            assert!(page["items"].as_array().unwrap().len() <= limit);
            let members: Vec<_> = page.as_object().unwrap().keys().map(String::as_str).collect();
            assert!(["items", "items next_cursor"].contains(&members.join(" ").as_str()));
        }
    }
}

#[tokio::test]
async fn a_cursor_is_valid_only_unchanged_and_only_for_its_own_list() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, one, two) = scene(&world).await;
    let desk = world.further_key(&partner, &["billing_admin"]).await;
    let with = |list: &Call, more: &str, cursor: &str| {
        let mut call = list.clone();
        let join = if list.path.contains('?') { '&' } else { '?' };
        call.path = format!("{}{join}{more}cursor={cursor}", list.path);
        call
    };
    let cursor_of = async |list: &Call, more: &str| {
        let mut call = list.clone();
        call.path = format!("{}?{more}limit=1", list.path);
        let page = world.send(&call).await.expect(200);
        page["next_cursor"].as_str().unwrap_or_else(|| panic!("{} has one page", call.path)).to_owned()
    };
    let list = partner.call("GET", "/invitations");
    let cursor = cursor_of(&list, "").await;
    let url_safe = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    assert!(url_safe(&cursor));
    // Other keys of the same caller and other page sizes may use it.
    world.send(&with(&list, "limit=2&", &cursor)).await.expect(200);
    world.send(&with(&desk.call("GET", "/invitations"), "", &cursor)).await.expect(200);

    let mut changed = cursor.clone().into_bytes();
    changed[9] = if changed[9] == b'A' { b'B' } else { b'A' };
    let changed = std::str::from_utf8(&changed).unwrap();
    for wrong in ["", &cursor[..cursor.len() - 1], &cursor[1..], &format!("{cursor}A"), changed] {
        world.send(&with(&list, "", wrong)).await.refused(400, "cursor_invalid");
    }
    let operators = Call::get(format!("/v1/partners/{}/invitations", partner.partner_id)).key(world.operator_key());
    let events = partner.call("GET", "/events");
    let subject = format!("subject={}&", one.tenant_id);
    let feed = |cursor: &str| {
        let mut call = events.clone();
        call.path = format!("{}?after={cursor}", events.path);
        call
    };
    for foreign in [
        with(&operators, "", &cursor),
        with(&one.call("GET", "/invitations"), "", &cursor),
        with(&partner.call("GET", "/customers"), "", &cursor),
        with(&partner.call("GET", "/subscriptions"), "", &cursor),
        with(&events, "", &cursor),
        with(&list, "state=pending&", &cursor),
        with(&events, "", &cursor_of(&events, &subject).await),
        with(&events, &subject, &cursor_of(&events, "").await),
        with(&one.call("GET", "/events"), "", &cursor_of(&two.call("GET", "/events"), "").await),
        with(
            &Call::get("/v1/partners").key(world.operator_key()),
            "",
            &cursor_of(&Call::get("/v1/customers").key(world.operator_key()), "").await,
        ),
        feed(&cursor_of(&events, "").await),
    ] {
        world.send(&foreign).await.refused(400, "cursor_invalid");
    }
}

#[tokio::test]
async fn invitations_are_filtered_by_their_current_state() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, one, two) = scene(&world).await;
    let (third, fourth) = (world.customer().await, world.customer().await);
    let (cancelled, _) = world.open(&partner, &third, Value::Null).await;
    world.send(&partner.cancel(&cancelled)).await.expect(200);
    let (pending, _) = world.open(&partner, &fourth, Value::Null).await;
    let in_state = async |caller: &dyn Fn(&str) -> Call, state: &str, count| {
        let items = world.items(&caller(&format!("/invitations?state={state}&limit=1")), count).await;
        assert!(items.iter().all(|item| item["state"] == state));
        items
    };
    let by_partner = |path: &str| partner.call("GET", path);
    for (state, count) in [("pending", 1), ("accepted", 2), ("declined", 1), ("cancelled", 1), ("expired", 0)] {
        in_state(&by_partner, state, count).await;
    }
    assert_eq!(in_state(&|path: &str| one.call("GET", path), "declined", 1).await[0]["kind"], "grant");
    in_state(&|path: &str| two.call("GET", path), "pending", 0).await;
    world.clock().advance_days(30);
    in_state(&by_partner, "pending", 0).await;
    assert_eq!(in_state(&by_partner, "expired", 1).await[0]["invitation_id"], json!(pending));
}

#[tokio::test]
async fn events_are_filtered_by_any_id_in_their_subject() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, one, two) = scene(&world).await;
    let all = world.items(&partner.call("GET", "/events"), 13).await;
    let ids: BTreeSet<&str> =
        all.iter().flat_map(|event| event["subject"].as_object().unwrap().values()).filter_map(Value::as_str).collect();
    assert!(ids.len() > 10);
    let naming = |events: &[Value], id: &str| -> Vec<Value> {
        let names = |event: &&Value| event["subject"].as_object().unwrap().values().any(|named| named == id);
        events.iter().filter(names).cloned().collect()
    };
    for id in ids {
        let path = format!("/events?subject={id}");
        let named = naming(&all, id);
        assert_eq!(world.items(&partner.call("GET", &path), named.len()).await, named, "{id}");
        let customers = world.all(&one.call("GET", "/events")).await;
        let named = naming(&customers, id);
        assert_eq!(world.items(&one.call("GET", &path), named.len()).await, named, "{id}");
        let operators = Call::get("/v1/events").key(world.operator_key());
        let named = naming(&world.all(&operators).await, id);
        let filtered = Call::get(format!("/v1{path}")).key(world.operator_key());
        assert_eq!(world.items(&filtered, named.len()).await, named, "{id}");
    }
    let none = partner.call("GET", "/events?subject=unknown");
    world.items(&none, 0).await;
    // Each side sees only events with its id in the subject.
    let own = world.items(&two.call("GET", "/events"), 6).await;
    assert!(own.iter().all(|event| event["subject"]["customer_tenant_id"] == json!(two.tenant_id)));
    assert!(all.iter().all(|event| event["subject"]["partner_id"] == json!(partner.partner_id)));
    let keys_of = |events: &[Value]| events.iter().filter(|event| event["type"] == "key.issued").count();
    assert_eq!((keys_of(&own), keys_of(&all)), (1, 1));
}

#[tokio::test]
async fn relationships_in_lists_have_exactly_the_members_of_the_contract() {
    let world = World::start().await;
    let (partner, customer, third) = (world.partner().await, world.customer().await, world.customer().await);
    let (id, _) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    // An invitation that is not accepted is not a relationship.
    world.open(&partner, &third, Value::Null).await;
    world.items(&customer.call("GET", "/partners"), 0).await;
    let accepted = world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
    let (since, grant) = (&accepted["relationship"]["since"], &accepted["grant"]);
    let row = json!({
        "partner_id": partner.partner_id, "name": "Northwind", "state": "active", "partner_status": "active",
        "proof": "key", "since": since, "grants": [grant],
    });
    assert_eq!(world.items(&customer.call("GET", "/partners"), 1).await, [row]);
    let row = json!({
        "customer_tenant_id": customer.tenant_id, "name": "Contoso", "state": "active", "partner_status": "active",
        "proof": "key", "since": since, "grants": [grant],
    });
    assert_eq!(world.items(&partner.call("GET", "/customers"), 1).await, [row]);
    let ended = world.send(&customer.end(&partner)).await.expect(200);
    let ended_at = &ended["relationship"]["ended_at"];
    let expected = json!({
        "relationship": {
            "partner_id": partner.partner_id, "customer_tenant_id": customer.tenant_id, "state": "ended", "since": since,
            "ended_at": ended_at,
        },
    });
    assert_eq!(ended, expected);
    let mut ended_grant = grant.clone();
    ended_grant["state"] = json!("ended");
    ended_grant["ends_at"] = ended_at.clone();
    if world.here().is_some() {
        let row = json!({
            "partner_id": partner.partner_id, "name": "Northwind", "state": "ended", "partner_status": "active",
            "proof": "key", "since": since, "ended_at": ended_at, "grants": [ended_grant],
        });
        assert_eq!(world.items(&customer.call("GET", "/partners"), 1).await, [row]);
    }
}

#[tokio::test]
async fn a_read_returns_304_while_the_callers_version_is_current() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, one, _) = scene(&world).await;
    let mut reads: Vec<_> = lists(&partner, &one, world.operator_key()).into_iter().map(|(list, ..)| list).collect();
    reads.extend([Call::get("/v1/me").key(&partner.key), Call::get("/v1/policy")]);
    let mut tags = BTreeSet::new();
    for read in &reads {
        let answer = world.send(read).await;
        answer.expect(200);
        let tag = answer.header("etag").unwrap_or_else(|| panic!("{} has no tag", read.path)).to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "{tag}");
        for held in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let known = world.send(&read.clone().header("if-none-match", &held)).await;
            assert_eq!((known.status, known.body.len()), (304, 0), "{} {held}", read.path);
            assert_eq!(known.header("etag"), Some(tag.as_str()));
            assert_eq!(
                (known.header("content-type"), known.header("cache-control")),
                (None, Some("private, no-cache"))
            );
        }
        let other = world.send(&read.clone().header("if-none-match", "\"x\"")).await;
        assert_eq!((other.status, &other.body), (200, &answer.body));
        tags.insert(tag);
    }
    assert!(tags.len() > reads.len() - 3, "different responses have different tags");
    // A change invalidates the tag.
    let list = partner.call("GET", "/invitations");
    let tag = world.send(&list).await.header("etag").unwrap().to_owned();
    world.open(&partner, &world.customer().await, Value::Null).await;
    world.send(&list.header("if-none-match", &tag)).await.expect(200);
    // Errors and writes have no tag.
    let refused = world.send(&Call::get("/v1/me").header("if-none-match", "*")).await;
    refused.refused(401, "token_missing");
    assert_eq!(refused.header("etag"), None);
    let body = json!({"tenant_id": world.tenant_id(), "name": "Contoso", "cloud": "public", "market": "US"});
    let written = world.operator(Call::post("/v1/customers", &body).header("if-none-match", "*")).await;
    written.expect(201);
    assert_eq!(written.header("etag"), None);
}

#[tokio::test]
async fn each_side_reads_its_own_lists_and_the_operator_reads_all() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let partners = ["invitations", "customers", "subscriptions", "grants", "events"];
    let customers = ["partners", "invitations", "subscriptions", "grants", "events"];
    for list in partners {
        let path = format!("/v1/partners/{}/{list}", partner.partner_id);
        world.send(&Call::get(path.as_str()).key(world.operator_key())).await.expect(200);
        world.send(&Call::get(path.as_str()).key(&customer.key)).await.refused(404, "not_found");
    }
    for list in customers {
        let path = format!("/v1/customers/{}/{list}", customer.tenant_id);
        world.send(&Call::get(path.as_str()).key(world.operator_key())).await.expect(200);
        world.send(&Call::get(path.as_str()).key(&partner.key)).await.refused(404, "not_found");
    }
    // Unknown tenants are not found for the operator either.
    let unknown = Call::get(format!("/v1/customers/{}/partners", world.tenant_id()));
    world.operator(unknown).await.refused(404, "not_found");
}

/// The feed holds back the newest events, so that its readers miss none.
#[tokio::test]
async fn the_feed_continues_after_the_cursor_oldest_first() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, one, _) = scene(&world).await;
    let follow = async |after: &str| {
        let page = world.send(&partner.call("GET", &format!("/events?limit=4&after={after}"))).await.expect(200);
        let items = page["items"].as_array().unwrap().clone();
        (items, page["next_cursor"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(follow("").await.0, [] as [Value; 0], "all events are too new");
    world.clock().advance_millis(12_000);
    let mut newest_first = world.items(&partner.call("GET", "/events"), 13).await;
    newest_first.reverse();
    let (mut followed, mut cursor) = (Vec::new(), String::new());
    loop {
        let (items, next) = follow(&cursor).await;
        if items.is_empty() {
            break;
        }
        followed.extend(items);
        cursor = next;
    }
    assert_eq!(followed, newest_first);
    world.send(&one.end(&partner)).await.expect(200);
    for wait in [0, 11_999] {
        world.clock().advance_millis(wait);
        assert_eq!(follow(&cursor).await, (Vec::new(), cursor.clone()));
    }
    world.clock().advance_millis(1);
    let (items, next) = follow(&cursor).await;
    assert_eq!((items.len(), &items[0]["type"]), (1, &json!("relationship.ended")));
    assert_eq!(follow(&next).await.0.len(), 0);
}

/// The owner of a key and operators see which key was used. The other side and webhooks do not.
#[tokio::test]
async fn events_show_the_key_of_an_actor_to_its_owner_and_to_operators() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let other = world.further_key(&partner, &["sales_agent"]).await;
    let (id, _) = world.open(&partner, &customer, Value::Null).await;
    let of_invitation = format!("/events?subject={id}");
    let of_operator = Call::new("GET", format!("/v1{of_invitation}")).key(world.operator_key());
    let ended = Call::new("DELETE", format!("/v1/partners/{}/customers/{}", partner.partner_id, customer.tenant_id));
    world.send(&customer.accept(&id, &Value::Null)).await.expect(200);
    world.send(&ended.key(&other.key)).await.expect(200);
    let of_relationship = format!("/events?subject={}", partner.partner_id);
    let keys = async |call: &Call, count: usize, types: [&str; 2]| {
        let events = world.items(call, count).await;
        types.map(|event_type| {
            let event = events.iter().find(|event| event["type"] == event_type).expect("the event");
            event["actor"].get("key_id").and_then(Value::as_str).map(str::to_owned)
        })
    };
    let (created, accepted) = ("invitation.created", "invitation.accepted");
    let (sellers, customers) = (Some(key_id(&partner.key)), Some(key_id(&customer.key)));
    assert_eq!(keys(&partner.call("GET", &of_invitation), 2, [created, accepted]).await, [sellers.clone(), None]);
    assert_eq!(keys(&customer.call("GET", &of_invitation), 2, [created, accepted]).await, [None, customers.clone()]);
    assert_eq!(keys(&of_operator, 2, [created, accepted]).await, [sellers.clone(), customers]);
    // Two keys of one partner are two keys in its events.
    let found = keys(&partner.call("GET", &of_relationship), 6, [created, "relationship.ended"]).await;
    assert_eq!(found, [sellers, Some(key_id(&other.key))]);
}

/// A single relationship has the same members as its row of the list.
#[tokio::test]
async fn single_reads_return_what_the_lists_have() {
    let world = World::start().await;
    let (partner, customer, third) = (world.partner().await, world.customer().await, world.customer().await);
    let (id, _) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    let of_partner = |key: &str| Call::get(format!("/v1/partners/{}", partner.partner_id)).key(key);
    let of_customer = |key: &str| Call::get(format!("/v1/customers/{}", customer.tenant_id)).key(key);
    let relationships = |key: Option<&str>| {
        let (ours, theirs) =
            (format!("/customers/{}", customer.tenant_id), format!("/partners/{}", partner.partner_id));
        let calls = [partner.call("GET", &ours), customer.call("GET", &theirs)];
        calls.map(|call| if let Some(key) = key { Call::get(call.path).key(key) } else { call })
    };
    // An invitation that is not accepted is not a relationship.
    for call in relationships(None) {
        world.send(&call).await.refused(404, "not_found");
    }
    world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
    for state in ["active", "ended"] {
        let rows = [
            world.items(&partner.call("GET", "/customers"), 1).await.remove(0),
            world.items(&customer.call("GET", "/partners"), 1).await.remove(0),
        ];
        for key in [None, Some(world.operator_key())] {
            for (call, row) in relationships(key).iter().zip(&rows) {
                let read = world.send(call).await.expect(200);
                assert_eq!((&read["relationship"], &read["relationship"]["state"]), (row, &json!(state)));
            }
        }
        if state == "active" {
            world.send(&customer.end(&partner)).await.expect(200);
        }
        if world.is_deployment() {
            return;
        }
    }
    let all = [
        ("partner", of_partner(&partner.key), of_partner(world.operator_key()), "/v1/partners"),
        ("customer", of_customer(&customer.key), of_customer(world.operator_key()), "/v1/customers"),
    ];
    for (member, own, operators, list) in all {
        let read = world.send(&own).await.expect(200);
        assert_eq!(world.send(&operators).await.expect(200), read);
        assert!(world.all(&Call::get(list).key(world.operator_key())).await.contains(&read[member]), "{read}");
    }
    // Another party and an unknown one are not found.
    for call in [
        of_partner(&customer.key),
        of_customer(&partner.key),
        of_customer(&third.key),
        Call::get(format!("/v1/customers/{}", world.tenant_id())).key(world.operator_key()),
        partner.call("GET", &format!("/customers/{}", third.tenant_id)),
        third.call("GET", &format!("/partners/{}", partner.partner_id)),
    ] {
        world.send(&call).await.refused(404, "not_found");
    }
}

/// The operator reads every single record, also while its partner is suspended.
#[tokio::test]
async fn an_operator_reads_the_single_records_of_both_sides() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, _) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
    let sold = world.unique();
    world.send(&partner.register(&registration(&sold, &customer))).await.expect(201);
    let grant = format!("/grants/{}", id.replace("inv_", "grt_"));
    let reads = [
        ("partner", partner.call("GET", "")),
        ("invitation", partner.call("GET", &format!("/invitations/{id}"))),
        ("relationship", partner.call("GET", &format!("/customers/{}", customer.tenant_id))),
        ("subscription", partner.call("GET", &format!("/subscriptions/{sold}"))),
        ("grant", partner.call("GET", &grant)),
        ("customer", customer.call("GET", "")),
        ("relationship", customer.call("GET", &format!("/partners/{}", partner.partner_id))),
        ("grant", customer.call("GET", &grant)),
    ];
    for suspended in [false, true] {
        for (kind, own) in &reads {
            let read = world.operator(Call::get(own.path.as_str())).await.expect(200);
            let members: Vec<_> = read.as_object().expect("an object").keys().collect();
            assert_eq!(members, [kind], "{}", own.path);
            if !suspended {
                assert_eq!(world.send(own).await.expect(200), read, "{}", own.path);
            }
        }
        world.suspend(&partner).await;
    }
    let key = world.operator(Call::get(format!("/v1/keys/{}", key_id(&partner.key)))).await.expect(200);
    assert_eq!(key["key"]["principal"]["id"], json!(partner.partner_id));
}

#[tokio::test]
async fn lists_and_feeds_with_a_filter_read_on_until_they_have_a_row() {
    let Some(world) = World::with_clock().await else { return };
    let partner = world.partner().await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        let customer = world.customer().await;
        world.tick();
        ids.push(world.open(&partner, &customer, Value::Null).await.0);
    }
    world.clock().advance_millis(13_000);
    for (parameters, id) in [("", &ids[0]), ("after=&", &ids[5])] {
        let call = partner.call("GET", &format!("/events?{parameters}subject={id}&limit=1"));
        let page = world.send(&call).await.expect(200);
        assert_eq!(page["items"][0]["subject"]["invitation_id"], json!(id), "{parameters}");
    }
}
