//! DynamoDB may leave keys of a `BatchGetItem` unprocessed. The access key and the partner of a request are read by one.

use serde_json::Value;
use tests::SimOptions;
use tests::faults::{Fault, TRANSACT};
use tests::parties::registration;

use crate::commands::Stage;

const KEY: &[&str] = &["KEY#"];
const PARTNER: &[&str] = &["PARTNER#"];
const BOTH: &[&str] = &["KEY#", "PARTNER#"];

/// Registers a subscription in a new process, while the table leaves these keys unprocessed in the first calls. Returns the
/// status and the reads.
async fn register(starts: &'static [&'static str], calls: usize) -> (u16, Vec<String>) {
    let stage = Stage::new(SimOptions::default()).await;
    let (customer, _) = stage.related(Value::Null).await;
    let sim = stage.world.sim();
    let new = sim.second(2, 0);
    sim.faults.take();
    sim.faults.plan(move |seen| {
        (seen.operation == "BatchGetItem" && seen.number <= calls).then_some(Fault::Unprocessed(starts))
    });
    let answer = new.send(&stage.partner.register(&registration("sub-1", &customer))).await;
    let calls = sim.faults.take().into_iter().map(|record| record.operation);
    (answer.status, calls.filter(|operation| operation != TRANSACT).collect())
}

#[tokio::test(start_paused = true)]
async fn an_unprocessed_key_is_asked_for_again() {
    assert_eq!(register(KEY, 2).await, (201, vec!["BatchGetItem".to_owned(); 3]));
    assert_eq!(register(KEY, usize::MAX).await, (503, vec!["BatchGetItem".to_owned(); 3]), "three times at most");
}

#[tokio::test(start_paused = true)]
async fn an_unprocessed_partner_is_read_alone() {
    assert_eq!(register(PARTNER, usize::MAX).await, (201, vec!["BatchGetItem".to_owned(), "GetItem".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn if_neither_is_processed_both_are_asked_for_again() {
    assert_eq!(register(BOTH, 2).await, (201, vec!["BatchGetItem".to_owned(); 3]));
    assert_eq!(register(BOTH, usize::MAX).await, (503, vec!["BatchGetItem".to_owned(); 3]), "three times at most");
}
