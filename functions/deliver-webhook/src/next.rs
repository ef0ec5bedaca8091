//! What happens to a ticket next.

use std::time::Duration;

use domain::Timestamp;
use platform::queue::LONGEST_POSTPONEMENT;

#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// The ticket is deleted.
    Finished,
    /// The ticket comes again after this time.
    Later(Duration),
}

impl Next {
    /// The ticket of a delivery that is due after `wait`. A long wait happens in the table, which leads to a new ticket.
    pub(crate) fn after(wait: Duration) -> Self {
        if wait > LONGEST_POSTPONEMENT { Self::Finished } else { Self::Later(wait) }
    }
}

/// The time from `now` until `due`. `None` if `due` is not in the future.
pub(crate) fn until(due: Timestamp, now: Timestamp) -> Option<Duration> {
    u64::try_from(due.millis() - now.millis()).ok().filter(|wait| *wait > 0).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_waits_in_the_queue_up_to_the_longest_postponement() {
        assert_eq!(Next::after(LONGEST_POSTPONEMENT), Next::Later(LONGEST_POSTPONEMENT));
        assert_eq!(Next::after(LONGEST_POSTPONEMENT + Duration::from_millis(1)), Next::Finished);
    }

    #[test]
    fn only_a_future_time_has_to_be_waited_for() {
        let at = Timestamp::from_millis;
        assert_eq!(until(at(1_005), at(1_000)), Some(Duration::from_millis(5)));
        assert_eq!(until(at(1_000), at(1_000)), None);
        assert_eq!(until(at(999), at(1_000)), None);
    }
}
