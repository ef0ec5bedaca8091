//! The clock of the scenario.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;
use platform::clock::Clock;

/// A Monday morning: 2026-11-23T09:00:00Z, in milliseconds.
const BEGINNING: i64 = 1_795_424_400_000;

/// A clock that only moves when the scenario moves it.
pub struct ScenarioClock(AtomicI64);

impl ScenarioClock {
    pub fn new() -> Self {
        Self(AtomicI64::new(BEGINNING))
    }

    /// Days since the beginning.
    pub fn day(&self) -> i64 {
        (self.now().millis() - BEGINNING) / 86_400_000
    }

    pub fn advance_millis(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn set(&self, now: Timestamp) {
        self.0.store(now.millis(), Ordering::SeqCst);
    }
}

impl Clock for ScenarioClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
