//! The end of a hash chain.

/// The end of the chain of a record's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The number of events.
    pub sequence: u64,
    /// The hash of the last event; zeros if there are no events.
    pub hash: [u8; 32],
}
