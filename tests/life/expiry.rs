//! An invitation expires at the exact millisecond, and its event is written once per link.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use futures_util::future::join_all;
use local::engine::Engine;
use platform::lambda::{Invocation, run_job};
use platform::store::keys::{GSI3_PK, GSI3_SK};
use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, decline_by_link, link, registration};
use tests::{Call, Customer, Partner, World};

use crate::common::{announced, audited, count, events_of, run, seen, types_of};
use crate::wire;

const DAY: i64 = 86_400_000;
const EXPIRED: &str = "invitation.expired";

async fn open_for(world: &World, partner: &Partner, customer: &Customer, days: u32) -> (String, String) {
    let body = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": null, "expires_in_days": days});
    link(&world.send(&partner.create(&body).idempotency_key(world.unique())).await.expect(201))
}

type Answering = fn(&Partner, &Customer, &str, &str) -> Call;

const ANSWERS: [(&str, Answering); 5] = [
    ("accept by link", |_, _, id, token| accept_by_link(id, token, &Value::Null)),
    ("accept by key", |_, customer, id, _| customer.accept(id, &Value::Null)),
    ("decline by link", |_, _, id, token| decline_by_link(id, token)),
    ("decline by key", |_, customer, id, _| customer.decline(id)),
    ("cancel", |partner, _, id, _| partner.cancel(id)),
];

#[tokio::test]
async fn answers_are_accepted_until_the_last_millisecond_with_or_without_the_job() {
    for days in [1, 90] {
        let Some(world) = World::with_clock().await else { return };
        let partner = world.partner().await;
        let mut open = Vec::new();
        for (name, answer) in ANSWERS {
            let (in_time, late) = (world.customer().await, world.customer().await);
            let (first, second) =
                (open_for(&world, &partner, &in_time, days).await, open_for(&world, &partner, &late, days).await);
            open.push((name, answer, (in_time, first), (late, second)));
        }
        world.clock().advance_millis(i64::from(days) * DAY - 1);
        assert_eq!(announced(&world).await, 0, "nothing has expired yet");
        for (name, answer, (customer, (id, token)), _) in &open {
            assert_eq!(world.send(&answer(&partner, customer, id, token)).await.status, 200, "{name}");
        }
        world.clock().advance_millis(1);
        for told in [false, true] {
            for (name, answer, _, (customer, (id, token))) in &open {
                println!("{name}, {days} days, announced: {told}");
                world.send(&answer(&partner, customer, id, token)).await.refused(410, "invitation_expired");
            }
            assert_eq!(announced(&world).await, if told { 0 } else { 5 });
        }
    }
}

#[tokio::test]
async fn an_expiry_is_announced_once_per_link() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, _) = open_for(&world, &partner, &customer, 30).await;
    // The job runs on time, after an outage, and several times at once.
    for (generation, (late, runs)) in [(0, 1), (400, 1), (0, 4), (3, 4)].into_iter().enumerate() {
        let before = world.send(&partner.call("GET", &format!("/invitations/{id}"))).await.expect(200);
        world.clock().advance_days(30 + late);
        let reports = join_all((0..runs).map(|_| announced(&world))).await;
        assert_eq!(reports.iter().sum::<u64>(), 1, "{reports:?}");
        assert_eq!(announced(&world).await, 0);
        assert_eq!(count(&world, &id, EXPIRED).await, generation + 1);
        let events = events_of(&world, &id).await;
        let told = events.last().unwrap();
        let actor = json!({"kind": "system", "id": "expire-due", "role": null, "proof": "none"});
        assert_eq!((&told["type"], &told["actor"]), (&json!(EXPIRED), &actor));
        let invitation = &before["invitation"];
        assert_eq!(told["data"], json!({"expired_at": invitation["expires_at"]}));
        assert_eq!(told["subject"]["customer_tenant_id"], json!(customer.tenant_id));
        // The event does not increase the version: the renewal has the next one.
        let renewed = world.send(&partner.renew(&id)).await.expect(200);
        let version = invitation["version"].as_u64().unwrap();
        assert_eq!(renewed["invitation"]["version"].as_u64(), Some(version + 1));
    }
    // An invitation that is renewed before it expires is not announced.
    world.clock().advance_days(29);
    world.send(&partner.renew(&id)).await.expect(200);
    world.clock().advance_days(29);
    assert_eq!(announced(&world).await, 0);
    world.clock().advance_days(1);
    assert_eq!(announced(&world).await, 1);
    audited(&world).await;
}

#[tokio::test]
async fn an_answered_invitation_is_never_announced_as_expired() {
    let Some(world) = World::with_clock().await else { return };
    let partner = world.partner().await;
    let mut ids = Vec::new();
    for (_, answer) in ANSWERS {
        let customer = world.customer().await;
        let (id, token) = open_for(&world, &partner, &customer, 30).await;
        world.send(&answer(&partner, &customer, &id, &token)).await.expect(200);
        ids.push(id);
    }
    world.clock().advance_days(100);
    assert_eq!(run(&world).await, json!({"announced": 0, "skipped": 0, "unreadable": 0}));
    for id in ids {
        assert_eq!(types_of(&world, &id).await.len(), 2);
    }
}

#[tokio::test]
async fn the_job_has_no_observable_effect_except_events() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer, other) = (world.partner().await, world.customer().await, world.customer().await);
    world.relate(&partner, &customer).await;
    world.send(&partner.register(&registration("a", &customer))).await.expect(201);
    let (asked, _) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    let (plain, token) = world.open(&partner, &other, Value::Null).await;
    let declined = world.partner().await;
    let (no, _) = world.open(&declined, &customer, Value::Null).await;
    world.send(&customer.decline(&no)).await.expect(200);
    world.clock().advance_days(30);
    let (before, table) = (seen(&world, &partner, &customer).await, world.table().await);
    let preview = tests::parties::preview(&plain, &token);
    let previewed = world.send(&preview).await.body.clone();
    assert_eq!(announced(&world).await, 2);
    assert_eq!(seen(&world, &partner, &customer).await, before);
    assert_eq!(world.send(&preview).await.body, previewed);

    // The job adds one event per invitation. In the invitation it changes only the event chain and the due index.
    let bookkeeping = ["event_seq", "event_hash", GSI3_PK, GSI3_SK];
    let (mut events, mut touched) = (0, BTreeSet::new());
    for (key, item) in world.table().await {
        match table.get(&key) {
            None => {
                assert_eq!(item["event_type"].as_s().unwrap(), EXPIRED);
                events += 1;
            }
            Some(old) if *old != item => {
                let names: BTreeSet<_> = old.keys().chain(item.keys()).collect();
                let changed = names.into_iter().filter(|name| old.get(*name) != item.get(*name));
                for name in changed {
                    assert!(bookkeeping.contains(&name.as_str()), "{name} of {key:?}");
                }
                touched.insert(key.0);
            }
            Some(_) => {}
        }
    }
    assert_eq!((events, touched), (2, [asked, plain].map(|id| format!("INVITATION#{id}")).into()));
}

/// Invitations from several partners to several customers. All expire after 30 days. Returns their ids.
async fn many(world: &World, partners: usize, customers: usize) -> BTreeSet<String> {
    let mut invited = Vec::new();
    for _ in 0..customers {
        invited.push(world.customer().await);
    }
    let mut ids = BTreeSet::new();
    for _ in 0..partners {
        let partner = world.partner().await;
        let open = join_all(invited.iter().map(|customer| world.open(&partner, customer, Value::Null))).await;
        ids.extend(open.into_iter().map(|(id, _)| id));
    }
    ids
}

/// The invitation id of each expiry event.
async fn told(world: &World) -> Vec<String> {
    let events = world.all(&Call::get("/v1/events?limit=100").key(world.operator_key())).await;
    let told = events.iter().filter(|event| event["type"] == EXPIRED);
    told.map(|event| event["subject"]["invitation_id"].as_str().unwrap().to_owned()).collect()
}

/// There is more than one page per shard. A run with little time stops between items, and an aborted run leaves the
/// rest. The next run continues there.
#[tokio::test]
async fn a_run_is_limited_and_the_next_one_continues() {
    let Some(world) = World::with_clock().await else { return };
    let ids = many(&world, 14, 16).await;
    world.clock().advance_days(30);
    let announcer = world.here().unwrap().0.announcer();
    let job = |remaining| {
        let invocation = Invocation { id: "run".into(), remaining: Duration::from_millis(remaining) };
        run_job(Arc::clone(announcer), &expire_due::JOB, b"{}".to_vec(), invocation)
    };
    // The run has only the time that it reserves for finishing an item.
    assert_eq!(job(2_000).await.unwrap()["announced"], 0);
    let short = job(2_080).await.unwrap()["announced"].as_u64().unwrap();
    assert!(short < 224, "{short}");
    assert_eq!(told(&world).await.len() as u64, short);
    let cut = tokio::time::timeout(Duration::from_millis(80), job(60_000)).await;
    let before = told(&world).await.len();
    assert!(cut.is_err() && before < 224, "{before}");
    // A write that was in flight when the run was aborted may still commit.
    let rest = announced(&world).await;
    let told = told(&world).await;
    assert!(rest > 0 && told.len() as u64 >= rest);
    assert_eq!((told.len(), BTreeSet::from_iter(told)), (224, ids));
    assert_eq!(announced(&world).await, 0);
    audited(&world).await;
}

/// The id of the invitation or grant whose writes fail. With `None`, no write fails.
type Refused = Arc<Mutex<Option<String>>>;

async fn refusing(refused: &Refused) -> Option<World> {
    let refused = Arc::clone(refused);
    let engine = Engine::memory().unwrap();
    World::with_options(|options| {
        options.http_client = Some(wire::wire(&engine, move |sent| {
            let hit = refused.lock().unwrap().clone().is_some_and(|id| sent.body.to_string().contains(&id));
            if hit && sent.operation == "TransactWriteItems" {
                return HttpConnectorFuture::ready(Ok(wire::refusal("ValidationException")));
            }
            sent.go_on()
        }));
        options.engine = Some(engine);
    })
    .await
}

#[tokio::test]
async fn an_item_that_always_fails_does_not_block_others() {
    let refused = Refused::default();
    let Some(world) = refusing(&refused).await else { return };
    let ids = many(&world, 2, 6).await;
    world.clock().advance_days(30);
    let bad = ids.first().unwrap().clone();
    *refused.lock().unwrap() = Some(bad.clone());
    for _ in 0..2 {
        let local = world.here().unwrap().0;
        let error = local::jobs::run_expire_due(local).await.unwrap_err();
        assert_eq!(error.to_string(), "failed items: 1; the next run retries them");
        let told = told(&world).await;
        assert_eq!((told.len(), told.contains(&bad)), (11, false));
    }
    *refused.lock().unwrap() = None;
    assert_eq!(announced(&world).await, 1);
    assert_eq!(told(&world).await.len(), 12);
}

#[tokio::test]
async fn an_unreadable_item_does_not_block_others() {
    let Some(world) = World::with_clock().await else { return };
    let ids = many(&world, 2, 6).await;
    let (local, clock) = world.here().unwrap();
    let bad = format!("INVITATION#{}", ids.first().unwrap());
    let call = local.client().update_item().table_name(local.table()).update_expression("REMOVE message, created");
    let call = call.key("pk", AttributeValue::S(bad)).key("sk", AttributeValue::S("INVITATION".into()));
    call.send().await.unwrap();
    clock.advance_days(30);
    assert_eq!(run(&world).await, json!({"announced": 11, "skipped": 0, "unreadable": 1}));
    assert_eq!(run(&world).await, json!({"announced": 0, "skipped": 0, "unreadable": 1}));
}
