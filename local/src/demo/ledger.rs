//! Every customer's subscriptions as the bytes that the API returns, compared after each step.

use std::collections::BTreeMap;

use local::api::Answer;
use serde_json::value::RawValue;

/// Every customer's subscriptions, newest first.
pub type Records = BTreeMap<String, Vec<String>>;

/// The records of a page, and the cursor of the next one. `None` if the response is not a page.
pub fn page(answer: &Answer) -> Option<(Vec<String>, Option<String>)> {
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&answer.body).ok()?;
    let items: Vec<Box<RawValue>> = serde_json::from_str(members.get("items")?.get()).ok()?;
    let next = answer.text("/next_cursor").map(str::to_owned);
    Some((items.iter().map(|item| item.get().to_owned()).collect(), next))
}

#[derive(Default)]
pub struct Ledger {
    records: Records,
    /// Comparisons of a record with its earlier bytes.
    pub comparisons: usize,
}

impl Ledger {
    /// The number of subscriptions.
    pub fn len(&self) -> usize {
        self.records.values().map(Vec::len).sum()
    }

    /// Compares the subscriptions with the earlier ones and returns every unexpected difference. At most `may_add` new ones are
    /// allowed, before all others.
    pub fn compare(&mut self, now: Records, may_add: usize) -> Vec<String> {
        let mut differences = Vec::new();
        for (customer, before) in &self.records {
            let after = now.get(customer).map(Vec::as_slice).unwrap_or_default();
            // The newest are first, so the earlier ones are at the end.
            let kept = &after[after.len().saturating_sub(before.len())..];
            self.comparisons += before.len();
            for (at, record) in before.iter().enumerate() {
                if kept.get(at) != Some(record) {
                    let now = kept.get(at).map_or("nothing", String::as_str);
                    differences.push(format!("{customer} had {record} and now has {now}"));
                }
            }
        }
        let added = now.values().map(Vec::len).sum::<usize>().saturating_sub(self.len());
        if added > may_add {
            differences.push(format!("{added} subscriptions were added, but {may_add} were registered"));
        }
        self.records = now;
        differences
    }
}
