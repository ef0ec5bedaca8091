//! `listen --forward-to`: messages like those of a deployment, and none is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tests::{Receiver, Reply, until};

use super::{Killed, SECRET, Scratch, relay};
use crate::common::Stage;

const LIMIT: Duration = Duration::from_secs(15);
const REGISTRATIONS: u32 = 30;

#[tokio::test]
async fn a_forwarded_message_is_byte_for_byte_the_one_that_an_endpoint_gets() {
    let stage = Stage::start().await;
    let hook = stage.active(Value::Null).await;
    let customer = stage.world.customer().await;
    stage.world.relate(&stage.partner, &customer).await;
    stage.event("Northwind Traders é").await;
    stage.settle().await;
    stage.clock().advance_millis(12_000);
    let sent: Vec<_> = hook.receiver.arrived().into_iter().filter(|one| one.id.starts_with("evt_")).collect();
    assert!(sent.len() >= 4, "{sent:?}");

    let (receiver, scratch) = (Receiver::start().await, Scratch::new());
    let url = stage.world.base_url();
    let mut relay = relay(url, &stage.partner.key, receiver.url(), &scratch.file(), LIMIT, None).await;
    let forwarded = until("every message", async || {
        // It never ends by itself.
        let _ = tokio::time::timeout(Duration::from_millis(50), relay.run(|_, _| Ok(()))).await;
        let arrived = receiver.arrived();
        sent.iter().all(|one| arrived.iter().any(|other| other.id == one.id)).then_some(arrived)
    })
    .await;
    for one in &sent {
        let other = forwarded.iter().find(|other| other.id == one.id).unwrap();
        assert_eq!(String::from_utf8_lossy(&other.body), String::from_utf8_lossy(&one.body));
        other.verify(SECRET).expect("a signature with the secret of `listen`");
        let names = |arrived: &tests::receiver::Arrived| {
            arrived.headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>()
        };
        assert_eq!(names(other), names(one));
        assert_eq!(other.headers["content-type"], one.headers["content-type"]);
        assert_eq!(other.headers["user-agent"], one.headers["user-agent"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_lost_although_server_receiver_and_listen_fail() {
    let mut killed = Killed::start().await;
    let (receiver, scratch) = (Receiver::start().await, Scratch::new());
    // Each third message fails the first time.
    receiver.answer(|id, times| Reply::status(if times == 0 && id.as_bytes()[8] % 3 == 0 { 500 } else { 204 }));
    let (url, key, to, file) =
        (killed.process.url.clone(), killed.partner.key.clone(), receiver.url().to_owned(), scratch.file());
    let mut forwarding = tokio::task::JoinSet::new();
    forwarding.spawn(async move {
        // Each life is short, and the next one begins with the file of the last.
        loop {
            let life = async {
                let mut relay = relay(&url, &key, &to, &file, LIMIT, None).await;
                relay.run(|_, _| Ok(())).await
            };
            let ended = tokio::time::timeout(Duration::from_millis(300), life).await;
            assert!(ended.is_err(), "{ended:?}");
        }
    });
    for number in 0..REGISTRATIONS {
        killed.register(number).await;
        if number % 10 == 5 {
            killed.process.kill();
        }
    }
    let feed = killed.feed().await;
    let accepted = until("every event", async || {
        let arrived = receiver.arrived();
        let accepted: Vec<String> = arrived.into_iter().filter(|one| one.answered < 300).map(|one| one.id).collect();
        feed.iter().all(|id| accepted.contains(id)).then_some(accepted)
    })
    .await;
    // A message may be accepted just before `listen` ends, and then it is sent again. Otherwise the order is that of the feed.
    let mut first = Vec::new();
    accepted.into_iter().for_each(|id| {
        if !first.contains(&id) {
            first.push(id);
        }
    });
    assert_eq!(first, feed);
    assert!(receiver.arrived().iter().any(|one| one.answered == 500), "no message failed");
}
