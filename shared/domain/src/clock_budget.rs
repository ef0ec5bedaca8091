//! The time limits that depend on each other. An event carries the time when its request began, but readers see it only
//! after its commit. The feed of events must not skip one, so these limits bound how late an event can appear.

use std::time::Duration;

/// A write is not sent, and not sent again, when its request began longer ago.
pub const OLDEST_WRITE: Duration = Duration::from_secs(4);

/// The time limit of one try to write. A try may begin just before [`OLDEST_WRITE`].
pub const WRITE_TRY: Duration = Duration::from_millis(1_500);

/// The clocks of two processes differ by at most this.
pub const CLOCK_SKEW: Duration = Duration::from_secs(2);

/// An index shows a write at most this much later.
pub const INDEX_LAG: Duration = Duration::from_secs(3);

/// Added to the sums below.
const RESERVE: Duration = Duration::from_millis(1_500);

/// How much older than its commit an event can look to a process with another clock.
pub const EVENT_LATENESS: Duration = sum(&[OLDEST_WRITE, WRITE_TRY, CLOCK_SKEW, RESERVE]);

/// The feed holds back younger events. Every older event is in the index, so none can appear before it later.
pub const FEED_HOLD_BACK: Duration = sum(&[EVENT_LATENESS, INDEX_LAG]);

/// A request with many transactions begins no further one after this. The rest of [`OLDEST_WRITE`] is for the last one.
pub const LAST_OF_MANY_WRITES: Duration = Duration::from_secs(OLDEST_WRITE.as_secs() / 2);

const fn sum(parts: &[Duration]) -> Duration {
    let (mut total, mut at) = (Duration::ZERO, 0);
    while at < parts.len() {
        total = total.saturating_add(parts[at]);
        at += 1;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feed_holds_back_twelve_seconds() {
        assert_eq!(FEED_HOLD_BACK, Duration::from_secs(12));
    }

    #[test]
    fn the_last_of_many_writes_has_time_for_one_try() {
        assert!(LAST_OF_MANY_WRITES + WRITE_TRY <= OLDEST_WRITE);
    }
}
