//! Clocks that tests set.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;
use platform::clock::Clock;

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

/// A clock of several processes: stands at the time that a file says, in milliseconds since 1970.
#[derive(Debug)]
pub struct FileClock(PathBuf);

impl FileClock {
    /// The clock that goes by this file.
    pub fn of(file: &Path) -> Self {
        Self(file.to_owned())
    }

    /// Sets it.
    ///
    /// # Panics
    /// When the file can't be written.
    pub fn set(&self, now: Timestamp) {
        // Whoever reads meanwhile finds the old time or the new one.
        let new = self.0.with_extension("new");
        std::fs::write(&new, now.millis().to_string()).expect("the clock's file");
        std::fs::rename(&new, &self.0).expect("the clock's file");
    }

    /// Moves it forwards by milliseconds.
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
