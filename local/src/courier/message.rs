//! A message of the queue.

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The message's own id, the same for every receive.
    pub id: String,
    /// Identifies this one receive.
    pub receipt: String,
    pub body: String,
}
