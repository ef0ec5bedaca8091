//! Faults of the table while messages are published and delivered.

use local::engine::Engine;
use serde_json::{Value, json};
use tests::World;
use tests::faults::{Fault, Faults, TRANSACT};

use crate::common::Stage;

/// The requests that publishing and delivering a message makes: the operation and their number.
const REQUESTS: [(&str, usize); 3] = [(TRANSACT, 4), ("BatchGetItem", 3), ("GetItem", 1)];

/// Faults, and whether all later requests of the operation fail as well. The tests of commands have the other faults.
fn faults() -> [(Fault, bool); 3] {
    [(Fault::LostBefore, false), (Fault::LostAfter, false), (Fault::Error("AccessDeniedException"), true)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_arrives_after_any_fault_of_the_table() {
    for (operation, times) in REQUESTS {
        for number in 1..=times {
            for (fault, lasting) in faults() {
                let case = format!("{operation} {number}: {fault:?}{}", if lasting { " from then on" } else { "" });
                let (delivery, arrived) = deliver_with(operation, number, fault, lasting, &case).await;
                assert_eq!(delivery["state"], "delivered", "{case}");
                assert_eq!(delivery["attempt"], json!(arrived), "{case}: every attempt is counted once");
                assert!((1..=2).contains(&arrived), "{case}: the message arrived {arrived} times");
            }
        }
    }
}

/// Delivers a message with a fault. Returns its delivery, and how often it arrived.
async fn deliver_with(
    operation: &'static str,
    number: usize,
    fault: Fault,
    lasting: bool,
    case: &str,
) -> (Value, usize) {
    let engine = Engine::memory().unwrap();
    let table = Faults::over_http(engine.http_client());
    let http = table.http_client();
    let world = World::start_here(|options| {
        options.loopback_endpoints = true;
        options.http_client = Some(http);
        options.engine = Some(engine);
    });
    let stage = Stage::over(world.await).await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let id = stage.event("Northwind 2").await;
    table.plan(move |seen| {
        let hit = seen.number == number || lasting && seen.number > number;
        (seen.operation == operation && hit).then(|| fault.clone())
    });
    table.take();
    let _ = stage.courier().settle().await;
    assert!(table.take().iter().any(|record| record.fault.is_some()), "{case}: no fault was injected");
    table.none();
    stage.settle_for(2 * 3_600_000).await;
    let arrived = hook.receiver.arrived().into_iter().filter(|message| message.id == id).count();
    assert!(stage.courier().queue.is_empty(), "{case}");
    (stage.delivery(&hook, &id).await, arrived)
}
