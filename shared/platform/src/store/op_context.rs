use crate::deadline::Deadline;
use domain::Timestamp;

/// The time and the deadline of one operation.
#[derive(Clone, Copy, Debug)]
pub struct OpContext {
    /// The time that every write of this operation carries.
    pub occurred_at: Timestamp,
    pub deadline: Deadline,
}
