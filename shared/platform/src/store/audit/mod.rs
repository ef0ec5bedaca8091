//! Verifies a table: every record must be in the state in which its events left it. It needs every item of the table, so it is
//! for tools and tests, not for functions.

mod created;
mod endpoint_lists;
mod event_items;
mod events;
mod found;
mod references;
mod relationships;
mod report;
mod state;
mod tenants;
mod texts;

#[cfg(test)]
mod tests;

pub use report::{AuditError, Audited, Fault, Head, Problem};

use self::found::Found;
use super::item::Item;
use super::keys;

/// Collects the items of a table, in any order, and verifies them.
#[derive(Debug, Default)]
pub struct Audit {
    found: Found,
}

impl Audit {
    pub fn take(&mut self, item: &Item) {
        self.found.take(item);
    }

    /// Verifies all items that were taken.
    pub fn finish(self) -> Audited {
        let mut found = self.found;
        let mut audited = Audited { faults: std::mem::take(&mut found.faults), ..Audited::default() };
        for (partition, record) in &mut found.records {
            record.events.sort_by_key(|(event, _)| event.sequence);
            if found.unread.contains(partition) {
                audited.unchecked.push(keys::aggregate_name(partition).to_owned());
            }
        }
        for (partition, record) in found.checked() {
            audited.count(record.kind, record.events.len());
            match events::check(record) {
                Ok(head) => drop(audited.heads.insert(keys::aggregate_name(partition).to_owned(), head)),
                Err(problem) => audited.fault(partition, problem),
            }
            let erased = texts::check(record, &mut |problem| audited.faults.push(Fault::new(partition, problem)));
            audited.erased += erased;
            if let Err(problem) = state::check(&found, record) {
                audited.fault(partition, problem);
            }
        }
        audited.faults.extend(references::check(&found));
        audited.faults.extend(tenants::check(&found));
        audited.faults.extend(relationships::check(&found));
        audited.faults.extend(endpoint_lists::check(&found));
        audited.messages = found.messages;
        audited.unchecked.extend(found.others);
        audited
    }
}
