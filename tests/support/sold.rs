//! Nothing that was sold ever changes: held after every command that any test sends to the system of this process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::{Answer, Call};

type Item = BTreeMap<String, AttributeValue>;

/// Every subscription as it was first seen.
pub struct Sold {
    client: Client,
    table: String,
    seen: Mutex<BTreeMap<String, Item>>,
    under_way: AtomicUsize,
    /// Whether another call was under way since the last look, so that what is new can't be told apart.
    crowded: AtomicBool,
    watching: AtomicBool,
}

impl Sold {
    /// Nothing has been sold yet.
    pub fn new(client: Client, table: &str) -> Self {
        Self {
            client,
            table: table.to_owned(),
            seen: Mutex::default(),
            under_way: AtomicUsize::new(0),
            crowded: AtomicBool::new(false),
            watching: AtomicBool::new(true),
        }
    }

    /// Looks no more: for tests that damage items themselves, or sell thousands.
    pub fn look_away(&self) {
        self.watching.store(false, Ordering::SeqCst);
    }

    /// A call begins.
    pub fn begin(&self) {
        if self.under_way.fetch_add(1, Ordering::SeqCst) > 0 {
            self.crowded.store(true, Ordering::SeqCst);
        }
    }

    /// A call has been answered. What was sold before is as it was; something new is there only after a registration, and
    /// then it is one.
    ///
    /// # Panics
    /// When that does not hold.
    pub async fn end(&self, call: &Call, answer: &Answer) {
        let commands = !matches!(call.method.as_str(), "GET" | "HEAD") && !(300..500).contains(&answer.status);
        let looks = commands && self.watching.load(Ordering::SeqCst);
        // The look belongs to the call: what begins during it may be seen by it.
        let now = if looks { self.subscriptions().await } else { BTreeMap::new() };
        let alone = self.under_way.fetch_sub(1, Ordering::SeqCst) == 1 && !self.crowded.swap(false, Ordering::SeqCst);
        if !looks {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let what = format!("{} {}", call.method, call.path);
        for (key, item) in seen.iter() {
            // Two looks at once may come back in the other order: what the older one lacks is no loss.
            assert!(now.get(key).map_or(!alone, |now| now == item), "{what} changed the subscription {key}");
        }
        let new: Vec<_> = now.into_iter().filter(|(key, _)| !seen.contains_key(key)).collect();
        let registers = call.path.ends_with("/subscriptions");
        assert!(!alone || new.len() <= usize::from(registers), "{what} added {} subscriptions", new.len());
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
