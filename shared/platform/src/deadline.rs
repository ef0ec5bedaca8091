//! The deadline of an invocation.

use std::time::Duration;

use tokio::time::Instant;

/// The deadline of a request: that of the function minus a margin for the response, and at most 8 s.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    const LONGEST: Duration = Duration::from_secs(8);
    const MARGIN: Duration = Duration::from_millis(300);

    /// The deadline of an invocation that the platform stops after `remaining`.
    pub fn within(remaining: Duration) -> Self {
        Self(Instant::now() + remaining.saturating_sub(Self::MARGIN).min(Self::LONGEST))
    }

    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}
