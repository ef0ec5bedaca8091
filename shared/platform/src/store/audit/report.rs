//! The result of an audit.

use std::collections::BTreeMap;
use std::fmt;

use super::super::item::CorruptItem;
use super::super::keys;
use domain::{AggregateKind, BrokenChain};

/// The end of a record's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub sequence: u64,
    /// The hashes of the record's events.
    pub hashes: Vec<[u8; 32]>,
}

/// What was verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audited {
    /// The records whose chains are valid, by kind and id.
    pub heads: BTreeMap<String, Head>,
    /// The number of records of each kind.
    pub records: BTreeMap<&'static str, usize>,
    pub events: usize,
    /// Personal texts that were erased.
    pub erased: usize,
    /// Deliveries, messages and notes. They expire after 30 days and are not verified.
    pub messages: usize,
    /// Items of a newer version or of an unknown kind, which were not verified.
    pub unchecked: Vec<String>,
    pub faults: Vec<Fault>,
}

/// Something that is not as the events left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Kind and id of the record, or the item's key.
    pub record: String,
    pub problem: Problem,
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("attribute {} {}", .0.attribute, .0.problem)]
    Corrupt(CorruptItem),
    #[error(transparent)]
    Chain(#[from] BrokenChain),
    #[error("it was deleted: its events still exist")]
    Deleted,
    #[error("it was deleted: {0} names it")]
    Named(String),
    #[error("it was inserted: no event created it")]
    Inserted,
    #[error("a second item of this record was inserted")]
    Twice,
    /// With the attributes that differ from the event's data, if there are any.
    #[error("it was changed: its attributes are not those that event {event} left{}", hint(.differs))]
    State { event: u64, differs: Vec<String> },
    #[error("it was changed: its attributes are not those with which it was created")]
    Created,
    #[error("the text {0} was changed")]
    Text(&'static str),
    #[error("attribute {0} was changed: another value follows from the events")]
    Derived(String),
    #[error("attribute {0} is not known")]
    Unknown(String),
}

fn hint(differs: &[String]) -> String {
    if differs.is_empty() { String::new() } else { format!(" (different from the events: {})", differs.join(", ")) }
}

impl Fault {
    /// A fault of the record whose events are in this partition.
    pub(super) fn new(partition: &str, problem: Problem) -> Self {
        Self { record: keys::aggregate_name(partition).to_owned(), problem }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.record, self.problem)
    }
}

/// All faults of a table. They are printed on one line, because a failure is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditError(pub Vec<Fault>);

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Fault::to_string).collect();
        f.write_str(&lines.join("; "))
    }
}

impl std::error::Error for AuditError {}

impl Audited {
    /// # Errors
    /// [`AuditError`] if there are faults.
    pub fn sound(self) -> Result<Self, AuditError> {
        if self.faults.is_empty() { Ok(self) } else { Err(AuditError(self.faults)) }
    }

    pub(super) fn fault(&mut self, partition: &str, problem: Problem) {
        self.faults.push(Fault::new(partition, problem));
    }

    /// Counts a record and its events.
    pub(super) fn count(&mut self, kind: AggregateKind, events: usize) {
        self.events += events;
        *self.records.entry(name(kind)).or_default() += 1;
    }
}

/// The kind of record, for people to read.
fn name(kind: AggregateKind) -> &'static str {
    match kind {
        AggregateKind::Invitation => "invitations",
        AggregateKind::Relationship => "relationships",
        AggregateKind::Grant => "grants",
        AggregateKind::Subscription => "subscriptions",
        AggregateKind::Tenant => "tenants",
        AggregateKind::Partner => "partners",
        AggregateKind::Key => "keys",
        AggregateKind::Endpoint => "endpoints",
    }
}
