//! Clocks that tests control.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;
use platform::clock::Clock;

/// A clock that only moves when a test moves it.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.millis()))
    }

    /// Moves the clock forward, or backward if `ms` is negative.
    pub fn advance_millis(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn advance_days(&self, days: i64) {
        self.advance_millis(days * 86_400_000);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A clock shared by several processes. A file contains the time in milliseconds since 1970.
#[derive(Debug)]
pub struct FileClock(PathBuf);

impl FileClock {
    pub fn of(file: &Path) -> Self {
        Self(file.to_owned())
    }

    /// # Panics
    /// If the file can't be written.
    pub fn set(&self, now: Timestamp) {
        // Renaming is atomic: readers see the old time or the new one.
        let new = self.0.with_extension("new");
        std::fs::write(&new, now.millis().to_string()).expect("the clock's file");
        std::fs::rename(&new, &self.0).expect("the clock's file");
    }

    pub fn advance_millis(&self, ms: i64) {
        self.set(self.now().plus_millis(ms));
    }
}

impl Clock for FileClock {
    fn now(&self) -> Timestamp {
        let text = std::fs::read_to_string(&self.0).expect("the clock's file");
        Timestamp::from_millis(text.parse().expect("milliseconds"))
    }
}
