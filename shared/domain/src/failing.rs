//! When an endpoint counts as failing.

use std::time::Duration;

use super::Timestamp;

/// Failed attempts in a row, without a response that shows that the receiver works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The first failure.
    pub since: Timestamp,
    /// The last failure that was stored.
    pub last: Timestamp,
}

impl Failing {
    /// An endpoint that fails for this long is disabled.
    pub const DISABLED_AFTER: Duration = Duration::from_hours(120);

    /// After a longer time without an attempt, failing starts anew, because the receiver may have worked meanwhile. The longest
    /// wait between two attempts of one delivery is shorter.
    pub const LONGEST_SILENCE: Duration = Duration::from_hours(48);

    /// The last failure is stored at most this often, because all deliveries of an endpoint share its item.
    const PRECISION: Duration = Duration::from_hours(1);

    /// The failures up to one at `now`. Time before `counted_from` does not count.
    pub fn after(before: Option<Self>, now: Timestamp, counted_from: Timestamp) -> Self {
        match before {
            Some(before) if now.since(before.last) <= Self::LONGEST_SILENCE => {
                Self { since: before.since.max(counted_from).min(now), last: now.max(before.last) }
            }
            _ => Self { since: now, last: now },
        }
    }

    /// Whether the endpoint must be disabled.
    pub fn is_too_long(self) -> bool {
        self.last.since(self.since) >= Self::DISABLED_AFTER
    }

    /// Whether these failures must be stored, if `before` is.
    pub fn is_news_after(self, before: Option<Self>) -> bool {
        before.is_none_or(|before| before.since != self.since || self.last.since(before.last) >= Self::PRECISION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_795_369_200_000);
    const HOUR: i64 = 3_600_000;

    /// The hour of the failure that disables the endpoint, if one does.
    fn disabled_at(hours: &[i64], resumed_at: i64) -> Option<i64> {
        let mut failing = None;
        hours.iter().copied().find(|hour| {
            let now = START.plus_millis(hour * HOUR);
            let counted_from = START.plus_millis(resumed_at * HOUR);
            let after = Failing::after(failing, now, if counted_from <= now { counted_from } else { START });
            if after.is_news_after(failing) {
                failing = Some(after);
            }
            after.is_too_long()
        })
    }

    #[test]
    fn an_endpoint_is_disabled_by_the_first_failure_after_five_days_with_attempts() {
        for (hours, expected) in [
            (vec![0, 24, 48, 72, 96, 119, 120], Some(120)),
            (vec![0, 48, 96, 144], Some(144)),
            // A longer silence starts anew, also right before the end.
            (vec![0, 120], None),
            (vec![0, 49, 98, 147, 196], None),
            (vec![0, 24, 48, 72, 121], None),
            (vec![0, 49, 97, 145, 169], Some(169)),
        ] {
            assert_eq!(disabled_at(&hours, -1), expected, "{hours:?}");
        }
    }

    #[test]
    fn the_time_of_a_suspension_does_not_count() {
        // The partner was suspended from hour 100 to hour 130.
        let hours = [0, 30, 60, 90, 131, 170, 200, 240, 249, 250];
        assert_eq!(disabled_at(&hours, 130), Some(250));
    }

    #[test]
    fn many_failures_at_once_are_stored_once_an_hour() {
        let first = Failing::after(None, START, START);
        assert!(first.is_news_after(None));
        for (later, is_news) in [(0, false), (HOUR - 1, false), (HOUR, true)] {
            let next = Failing::after(Some(first), START.plus_millis(later), START);
            assert_eq!(next.is_news_after(Some(first)), is_news, "{later}");
        }
    }
}
