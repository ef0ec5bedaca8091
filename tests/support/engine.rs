//! The embedded engine without sockets. Calls take no time, so a paused clock moves only where a test or the product waits,
//! and a run repeats exactly from its seed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use local::engine::Engine as Embedded;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::rng::Rng;

/// An engine with one table.
#[derive(Clone)]
pub struct Engine {
    embedded: Embedded,
    lag: Arc<Mutex<Option<Lag>>>,
}

/// Indexes that lag, each item by its own time. Index queries read a second engine.
struct Lag {
    replica: Embedded,
    longest: Duration,
    rng: Rng,
    /// Writes that the replica has not seen, by the time when it will.
    pending: BTreeMap<(Instant, u64), Value>,
    latest: BTreeMap<String, Instant>,
    count: u64,
}

impl Default for Engine {
    fn default() -> Self {
        Self { embedded: Embedded::memory().expect("an engine in memory"), lag: Arc::default() }
    }
}

impl Engine {
    /// An engine whose indexes lag by up to `longest`.
    pub fn lagging(seed: u64, longest: Duration) -> Self {
        let replica = Embedded::memory().expect("an engine in memory");
        let (rng, pending, latest) = (Rng::new(seed), BTreeMap::new(), BTreeMap::new());
        let lag = Lag { replica, longest, rng, pending, latest, count: 0 };
        Self { lag: Arc::new(Mutex::new(Some(lag))), ..Self::default() }
    }

    /// Saves the table for [`Engine::restore`]. Not for engines that lag.
    pub fn snapshot(&self) -> Snapshot {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("multipartner-{}-{}.db", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        self.embedded.save_to(&path).expect("a snapshot");
        Snapshot(path)
    }

    pub fn restore(&self, snapshot: &Snapshot) {
        self.embedded.restore(&snapshot.0).expect("the snapshot");
    }

    /// Runs an operation. Returns the HTTP status and the JSON.
    pub fn call(&self, operation: &str, request: &Value) -> (u16, Value) {
        let mut lag = self.lag.lock().expect("no panic");
        let of_index = operation == "Query" && request.get("IndexName").is_some();
        let Some(lag) = lag.as_mut() else { return run(&self.embedded, operation, request) };
        if of_index {
            lag.catch_up();
            return run(&lag.replica, operation, request);
        }
        let answer = run(&self.embedded, operation, request);
        match operation {
            "CreateTable" => {
                run(&lag.replica, operation, request);
            }
            "TransactWriteItems" if answer.0 == 200 => {
                for (table, key) in written_keys(request) {
                    let get = json!({"TableName": table, "Key": key, "ConsistentRead": true});
                    let item = run(&self.embedded, "GetItem", &get).1["Item"].clone();
                    lag.follow(&key, json!({"TableName": table, "Item": item}));
                }
            }
            _ => {}
        }
        answer
    }
}

/// A saved table. Dropping it deletes its file.
pub struct Snapshot(PathBuf);

impl Drop for Snapshot {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Lag {
    /// Notes a write. The replica sees the writes of an item after a while and in order.
    fn follow(&mut self, key: &Value, put: Value) {
        let longest = u64::try_from(self.longest.as_millis()).unwrap_or_default();
        let at = Instant::now() + Duration::from_millis(self.rng.below(longest + 1));
        let latest = self.latest.entry(key.to_string()).or_insert(at);
        *latest = at.max(*latest);
        self.count += 1;
        self.pending.insert((*latest, self.count), put);
    }

    fn catch_up(&mut self) {
        let later = self.pending.split_off(&(Instant::now() + Duration::from_nanos(1), 0));
        for put in std::mem::replace(&mut self.pending, later).into_values() {
            let (status, answer) = run(&self.replica, "PutItem", &put);
            assert_eq!(status, 200, "{answer}");
        }
    }
}

/// The tables and keys that a transaction writes.
fn written_keys(request: &Value) -> Vec<(Value, Value)> {
    let writes = request["TransactItems"].as_array().into_iter().flatten();
    writes
        .filter_map(|write| {
            let (write, item) = match (write.get("Put"), write.get("Update")) {
                (Some(put), _) => (put, &put["Item"]),
                (_, Some(update)) => (update, &update["Key"]),
                _ => return None,
            };
            Some((write["TableName"].clone(), json!({"pk": item["pk"], "sk": item["sk"]})))
        })
        .collect()
}

fn run(engine: &Embedded, operation: &str, request: &Value) -> (u16, Value) {
    engine.call(operation, request.clone())
}
