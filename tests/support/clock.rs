//! A clock that tests set.

use std::sync::atomic::{AtomicI64, Ordering};

use shared::domain::{Clock, Timestamp};

/// Stands still until it is told to move.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at this time.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.millis()))
    }

    /// Moves it by milliseconds, forwards or backwards.
    pub fn advance_millis(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// Moves it forwards by days.
    pub fn advance_days(&self, days: i64) {
        self.advance_millis(days * 86_400_000);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
