//! `events tail`: the reader.

use std::sync::{Arc, Mutex};

use local::feed::watch::Notice;
use tests::{World, until};

use super::{Killed, ids, reader};

const REGISTRATIONS: u32 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_gets_every_event_once_and_in_order_although_the_server_is_killed() {
    let mut killed = Killed::start().await;
    let (mut reader, notices) = reader(&killed.process.url, &killed.partner.key).await;
    let read = Arc::new(Mutex::new(Vec::new()));
    let mut reading = tokio::task::JoinSet::new();
    let kept = Arc::clone(&read);
    reading.spawn(async move {
        loop {
            let page = reader.next().await.expect("a page");
            kept.lock().expect("whole").extend(ids(&page.events));
            reader.advance(&page);
        }
    });
    for number in 0..REGISTRATIONS {
        killed.register(number).await;
        if number % 10 == 5 {
            killed.process.kill();
        }
    }
    let feed = killed.feed().await;
    assert!(feed.len() > REGISTRATIONS as usize);
    let read = until("the whole feed", async || {
        let read = read.lock().expect("whole").clone();
        (read.len() >= feed.len()).then_some(read)
    })
    .await;
    assert_eq!(read, feed);
    let notices = notices.lock().expect("whole");
    let count = |is: fn(&Notice) -> bool| notices.iter().filter(|notice| is(notice)).count();
    let offline = count(|notice| matches!(notice, Notice::Offline { .. }));
    assert!(offline > 0, "{notices:?}");
    assert_eq!(count(|notice| matches!(notice, Notice::Online { .. })), offline, "{notices:?}");
}

#[tokio::test]
async fn each_kind_of_key_reads_its_own_feed() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    world.clock().advance_millis(12_000);
    for (key, owner, path) in [
        (partner.key.as_str(), partner.partner_id.as_str(), format!("/v1/partners/{}/events", partner.partner_id)),
        (&customer.key, &customer.tenant_id, format!("/v1/customers/{}/events", customer.tenant_id)),
        (world.operator_key(), "operator", "/v1/events".to_owned()),
    ] {
        let (mut reader, _) = reader(world.base_url(), key).await;
        assert_eq!(reader.owner(), owner);
        let page = reader.next().await.unwrap();
        let mut list = world.all(&tests::Call::get(path).key(key)).await;
        list.reverse();
        let expected: Vec<_> = list.iter().map(|event| super::text(event, "/event_id").to_owned()).collect();
        assert_eq!(ids(&page.events).len(), expected.len(), "{owner}");
        assert!(expected.iter().all(|id| ids(&page.events).contains(id)), "{owner}");
        // A line is the event as the API returns it.
        let line: serde_json::Value = serde_json::from_str(&page.events[0].line()).unwrap();
        assert!(list.contains(&line), "{line}");
    }
}

#[tokio::test]
async fn a_reader_can_begin_at_the_end_or_at_a_cursor() {
    let Some(world) = World::with_clock().await else { return };
    let partner = world.partner().await;
    // Even if there is no event yet.
    let (mut early, _) = reader(world.base_url(), &partner.key).await;
    assert_eq!(early.skip_existing().await.unwrap(), 0);
    world.clock().advance_millis(12_000);
    let (mut late, _) = reader(world.base_url(), &partner.key).await;
    let first = late.next().await.unwrap();
    assert_eq!(ids(&early.next().await.unwrap().events), ids(&first.events));
    assert_eq!(late.skip_existing().await.unwrap(), first.events.len() as u64);
    let customer = world.customer().await;
    world.relate(&partner, &customer).await;
    world.clock().advance_millis(12_000);
    let second = late.next().await.unwrap();
    let (mut third, _) = reader(world.base_url(), &partner.key).await;
    third.start_after(first.cursor());
    assert_eq!(ids(&third.next().await.unwrap().events), ids(&second.events));
    third.start_after("not-a-cursor");
    assert_eq!(third.next().await.unwrap_err().code(), Some("cursor_invalid"));
}
