//! What has happened so far.

use local::api::Answer;

#[derive(Default)]
pub struct Tally {
    /// Guarantees that held.
    pub held: usize,
    /// Guarantees that did not hold.
    pub broken: usize,
    pub requests: usize,
    /// Requests, and announcements of the job, that changed something.
    pub changes: usize,
}

impl Tally {
    /// Counts a request that may have changed something.
    pub fn count(&mut self, answer: &Answer) {
        self.requests += 1;
        self.changes += usize::from((200..300).contains(&answer.status) && !answer.replayed());
    }
}
