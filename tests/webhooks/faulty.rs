//! A table that fails while messages are published and delivered.

use platform::aws::http_client;
use serde_json::json;
use tests::World;
use tests::faults::{Fault, Faults, TRANSACT};

use crate::common::Stage;

/// The requests that publishing and delivering a message makes: which operation, and how often.
const REQUESTS: [(&str, usize); 3] = [(TRANSACT, 4), ("BatchGetItem", 3), ("GetItem", 1)];

/// What goes wrong with one request, or with it and all after it; the other faults are those of every command.
fn faults() -> [(Fault, bool); 3] {
    [(Fault::LostBefore, false), (Fault::LostAfter, false), (Fault::Error("AccessDeniedException"), true)]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_table_refuses_the_message_arrives_once_it_works_again() {
    for (operation, times) in REQUESTS {
        for number in 1..=times {
            for (fault, for_ever) in faults() {
                let story = format!("{operation} {number}: {fault:?}{}", if for_ever { " and so on" } else { "" });
                goes_wrong(operation, number, fault, for_ever, &story).await;
            }
        }
    }
}

async fn goes_wrong(operation: &'static str, number: usize, fault: Fault, for_ever: bool, story: &str) {
    let table = Faults::over_http(http_client());
    let http = table.http_client();
    let world = World::start_here(|options| {
        options.loopback_endpoints = true;
        options.http_client = Some(http);
    });
    let stage = Stage::over(world.await).await;
    let hook = stage.active(json!(["partner.renamed"])).await;
    let id = stage.event("Northwind 2").await;
    table.plan(move |seen| {
        let hit = seen.number == number || for_ever && seen.number > number;
        (seen.operation == operation && hit).then(|| fault.clone())
    });
    table.take();
    let _ = stage.courier().settle().await;
    assert!(table.take().iter().any(|record| record.fault.is_some()), "{story}: nothing went wrong");
    table.none();
    stage.settle_for(2 * 3_600_000).await;
    let arrived = hook.receiver.arrived().into_iter().filter(|message| message.id == id).count();
    let delivery = stage.delivery(&hook, &id).await;
    assert_eq!(delivery["state"], "delivered", "{story}");
    assert_eq!(delivery["attempt"], json!(arrived), "{story}: every attempt is counted once");
    assert!((1..=2).contains(&arrived), "{story}: it arrived {arrived} times");
    assert!(stage.courier().queue.is_empty(), "{story}");
}
