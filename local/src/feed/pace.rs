//! How long to wait before the next request.

use std::time::Duration;

/// A wait that doubles with each repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub first: Duration,
    pub longest: Duration,
}

/// The waits of a reader of the feed.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// After a response without new events.
    pub idle: Backoff,
    /// After a request without a usable response.
    pub offline: Backoff,
}

impl Default for Pace {
    /// The feed holds back the newest seconds anyway, so reading it more often would show nothing sooner.
    fn default() -> Self {
        Self {
            idle: Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(5) },
            offline: Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(30) },
        }
    }
}

impl Backoff {
    /// The wait after this many repetitions, from 0. Jitter, uniform from `random`, changes it by up to 20 %.
    pub fn wait(self, repetitions: u32, random: &[u8; 32]) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(repetitions));
        jittered(doubled.min(self.longest), random)
    }
}

/// From 80 % of the base to just below 120 %.
fn jittered(base: Duration, random: &[u8; 32]) -> Duration {
    let [a, b, c, d, ..] = *random;
    let share = f64::from(u32::from_le_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0);
    base.mul_f64(0.8 + 0.4 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_doubles_up_to_the_longest_and_has_jitter() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(30) };
        let seconds = |repetitions, byte| backoff.wait(repetitions, &[byte; 32]).as_secs_f64();
        for (repetitions, base) in [(0, 1.0), (1, 2.0), (4, 16.0), (5, 30.0), (u32::MAX, 30.0)] {
            assert!((seconds(repetitions, 0) - 0.8 * base).abs() < 1e-6);
            assert!((seconds(repetitions, 255) - 1.2 * base).abs() < 1e-6);
        }
    }
}
