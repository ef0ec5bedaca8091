//! Subscriptions never change. This is checked after every write request that any test sends to the system in this process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::{Answer, Call};

type Item = BTreeMap<String, AttributeValue>;

/// Every subscription as it was when first read.
pub struct Sold {
    client: Client,
    table: String,
    seen: Mutex<BTreeMap<String, Item>>,
    in_flight: AtomicUsize,
    /// Whether calls overlapped since the last check. Then a new subscription can't be assigned to a call.
    overlapped: AtomicBool,
    checking: AtomicBool,
}

impl Sold {
    pub fn new(client: Client, table: &str) -> Self {
        Self {
            client,
            table: table.to_owned(),
            seen: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            overlapped: AtomicBool::new(false),
            checking: AtomicBool::new(true),
        }
    }

    /// Stops checking, for tests that damage items or register thousands of subscriptions.
    pub fn stop_checking(&self) {
        self.checking.store(false, Ordering::SeqCst);
    }

    pub fn begin(&self) {
        if self.in_flight.fetch_add(1, Ordering::SeqCst) > 0 {
            self.overlapped.store(true, Ordering::SeqCst);
        }
    }

    /// Checks the subscriptions after a call: the existing ones are unchanged, and only a registration adds one.
    ///
    /// # Panics
    /// If a subscription changed or was added by another call.
    pub async fn end(&self, call: &Call, answer: &Answer) {
        let commands = !matches!(call.method.as_str(), "GET" | "HEAD") && !(300..500).contains(&answer.status);
        let checks = commands && self.checking.load(Ordering::SeqCst);
        // Calls that start while the table is read count as overlapping, because the read may include their writes.
        let now = if checks { self.subscriptions().await } else { BTreeMap::new() };
        let alone =
            self.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 && !self.overlapped.swap(false, Ordering::SeqCst);
        if !checks {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let what = format!("{} {}", call.method, call.path);
        for (key, item) in seen.iter() {
            // Of two overlapping reads the older may finish last, so a missing subscription is no loss.
            assert!(now.get(key).map_or(!alone, |now| now == item), "{what} changed the subscription {key}");
        }
        let new: Vec<_> = now.into_iter().filter(|(key, _)| !seen.contains_key(key)).collect();
        let most = match call.path.rsplit('/').next() {
            Some("subscriptions") => 1,
            Some("batch") => 40,
            _ => 0,
        };
        assert!(!alone || new.len() <= most, "{what} added {} subscriptions", new.len());
        seen.extend(new);
    }

    async fn subscriptions(&self) -> BTreeMap<String, Item> {
        let mut found = BTreeMap::new();
        let mut start = None;
        loop {
            let scan = self.client.scan().table_name(&self.table).consistent_read(true).set_exclusive_start_key(start);
            let scan = scan.filter_expression("begins_with(pk, :sold)");
            let scan = scan.expression_attribute_values(":sold", AttributeValue::S("SUBSCRIPTION#".into()));
            let page = scan.send().await.expect("a scan");
            for item in page.items.unwrap_or_default() {
                found.insert(item["pk"].as_s().expect("a key").clone(), item.into_iter().collect());
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return found;
            }
        }
    }
}
