//! When to give up.

use std::time::Duration;

use tokio::time::Instant;

/// How long a request may take: the function's own deadline less a margin to answer in, and never more than 8 s.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    const LONGEST: Duration = Duration::from_secs(8);
    const MARGIN: Duration = Duration::from_millis(300);

    /// The deadline of an invocation that the platform ends after `remaining`.
    pub fn within(remaining: Duration) -> Self {
        Self(Instant::now() + remaining.saturating_sub(Self::MARGIN).min(Self::LONGEST))
    }

    /// What is left.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}
