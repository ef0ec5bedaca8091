//! Check values: a function does not start with a key that differs from the one that the table knows by its number.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::Timestamp;
use local::{TABLE, table_config};
use platform::clock::Clock;
use platform::lambda::{MasterKeyError, OtherMasterKey, confirm_master_keys};
use platform::secrets::{MasterKey, MasterKeys};
use platform::store::{Store, client};
use tests::faults::Fault;
use tests::{SeededRandom, Sim, SimOptions};

/// Keys by number. Each is 32 times the same byte.
fn keys(bytes: &[(u32, u8)]) -> MasterKeys {
    MasterKeys::new(bytes.iter().map(|(number, byte)| (*number, MasterKey::new([*byte; 32]))).collect())
}

/// A process that starts. Its random numbers are its own.
async fn start(sim: &Sim, seed: u64, bytes: &[(u32, u8)]) -> Result<(), MasterKeyError> {
    let client = client::connect(&table_config().dynamodb, sim.faults.http_client());
    let store = Store::new(client, TABLE.to_owned(), sim.clock.clone(), Arc::new(SeededRandom::new(seed)));
    confirm_master_keys(&store, &keys(bytes), sim.clock.now()).await
}

/// The check values in the table, by key.
fn stored(sim: &Sim) -> BTreeMap<String, String> {
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let of = |item: serde_json::Value| Some((text(&item["pk"]["S"])?, text(&item["check_value"]["B"])?));
    sim.items().into_iter().filter_map(of).collect()
}

fn differs(outcome: &Result<(), MasterKeyError>, number: u32) -> bool {
    matches!(outcome, Err(MasterKeyError::Other(OtherMasterKey(other))) if *other == number)
}

#[tokio::test(start_paused = true)]
async fn a_number_keeps_its_first_key() {
    let sim = Sim::start(SimOptions::default()).await;
    assert!(start(&sim, 1, &[(1, 7)]).await.is_ok());
    let first = stored(&sim);
    assert_eq!(first.keys().collect::<Vec<_>>(), ["MASTER_KEY#1"]);
    assert!(start(&sim, 2, &[(1, 7)]).await.is_ok());
    assert!(differs(&start(&sim, 3, &[(1, 8)]).await, 1));
    assert_eq!(stored(&sim), first);

    assert!(start(&sim, 4, &[(1, 7), (2, 8)]).await.is_ok(), "a new key gets the next number");
    let second = stored(&sim);
    assert_eq!((second.len(), &second["MASTER_KEY#1"]), (2, &first["MASTER_KEY#1"]));
    assert!(differs(&start(&sim, 5, &[(1, 7), (2, 9)]).await, 2));
    assert!(differs(&start(&sim, 6, &[(1, 8), (2, 7)]).await, 2), "the keys are not exchanged");
    assert_eq!(stored(&sim), second);
}

#[tokio::test(start_paused = true)]
async fn of_two_first_processes_with_different_keys_one_starts() {
    for seed in 0..20 {
        let sim = Sim::start(SimOptions { seed, ..SimOptions::default() }).await;
        sim.faults.latency(seed, std::time::Duration::from_millis(20));
        let (one, other) = tokio::join!(start(&sim, 2 * seed, &[(1, 7)]), start(&sim, 2 * seed + 1, &[(1, 8)]));
        assert!(one.is_ok() != other.is_ok(), "seed {seed}: {one:?} {other:?}");
        assert!(differs(&one, 1) || differs(&other, 1), "seed {seed}: {one:?} {other:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_starts_although_the_table_does_not_respond() {
    let sim = Sim::start(SimOptions::default()).await;
    let began: Timestamp = sim.clock.now();
    sim.faults.always("GetItem", Fault::StalledBefore);
    assert!(start(&sim, 1, &[(1, 7)]).await.is_ok());
    assert!(sim.clock.now().millis() - began.millis() < 3_000, "it does not wait longer");
    assert!(stored(&sim).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_check_value_that_must_not_be_read_or_is_damaged_prevents_a_start() {
    let sim = Sim::start(SimOptions::default()).await;
    sim.faults.always("GetItem", Fault::Error("AccessDeniedException"));
    assert!(matches!(start(&sim, 1, &[(1, 7)]).await, Err(MasterKeyError::Unreadable { number: 1, .. })));
    sim.faults.none();
    assert!(start(&sim, 2, &[(1, 7)]).await.is_ok());
    for mut item in sim.items() {
        item["check_value"] = serde_json::json!({"S": "damaged"});
        sim.raw("PutItem", &serde_json::json!({"TableName": TABLE, "Item": item}));
    }
    assert!(matches!(start(&sim, 3, &[(1, 7)]).await, Err(MasterKeyError::Unreadable { number: 1, .. })));
}
