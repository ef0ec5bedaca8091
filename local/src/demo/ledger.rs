//! What every customer has, record by record as the bytes that the API answers, and whether that is still so.

use std::collections::BTreeMap;

use local::api::Answer;
use serde_json::value::RawValue;

/// Every customer's subscriptions, newest first.
pub type Records = BTreeMap<String, Vec<String>>;

/// The records of a page, newest first, and where the next one begins. `None` when the answer is no page.
pub fn page(answer: &Answer) -> Option<(Vec<String>, Option<String>)> {
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&answer.body).ok()?;
    let items: Vec<Box<RawValue>> = serde_json::from_str(members.get("items")?.get()).ok()?;
    let next = answer.text("/next_cursor").map(str::to_owned);
    Some((items.iter().map(|item| item.get().to_owned()).collect(), next))
}

/// Everything that there was, and how often it was looked at.
#[derive(Default)]
pub struct Ledger {
    records: Records,
    /// Comparisons of one record with itself.
    pub comparisons: usize,
}

impl Ledger {
    /// Subscriptions there are.
    pub fn len(&self) -> usize {
        self.records.values().map(Vec::len).sum()
    }

    /// Takes what there is now, and says what is not as it was. Only records before all others may be new, and only as many
    /// as may have been added.
    pub fn compare(&mut self, now: Records, may_add: usize) -> Vec<String> {
        let mut deviations = Vec::new();
        for (customer, before) in &self.records {
            let after = now.get(customer).map(Vec::as_slice).unwrap_or_default();
            // Newest first: what there was stands at the end.
            let kept = &after[after.len().saturating_sub(before.len())..];
            self.comparisons += before.len();
            for (at, record) in before.iter().enumerate() {
                if kept.get(at) != Some(record) {
                    deviations.push(format!("{customer} had {record} and now has {}", shown(kept.get(at))));
                }
            }
        }
        let added = now.values().map(Vec::len).sum::<usize>().saturating_sub(self.len());
        if added > may_add {
            deviations.push(format!("{added} subscriptions came to be where {may_add} were registered"));
        }
        self.records = now;
        deviations
    }
}

fn shown(record: Option<&String>) -> &str {
    record.map_or("nothing", String::as_str)
}
