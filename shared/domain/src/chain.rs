//! The end of a hash chain.

use super::RecordState;

/// The end of the chain of a record's events, and the record as it was read with it. The next event's digest of the record
/// follows from it and the change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The number of events.
    pub sequence: u64,
    /// The hash of the last event; zeros if there are no events.
    pub hash: [u8; 32],
    /// Empty for a record that does not exist yet.
    pub state: RecordState,
}
