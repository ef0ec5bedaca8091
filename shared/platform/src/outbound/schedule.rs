//! The time of the next attempt: ten attempts in three days, as Standard Webhooks 1.0.0 proposes. Jitter, `Retry-After` and
//! the longer wait for an overloaded endpoint are as at Svix.

use std::time::Duration;

use super::reply::{Failure, Outcome};
use domain::Timestamp;

/// The number of attempts for each message.
pub const ATTEMPTS: u32 = 10;

/// The number of attempts for each challenge.
pub const CHALLENGE_ATTEMPTS: u32 = 3;

/// The wait before each attempt of a challenge, before jitter. With jitter and slow responses, all are within five minutes.
const CHALLENGE_WAITS: [Duration; CHALLENGE_ATTEMPTS as usize] =
    [Duration::ZERO, Duration::from_secs(5), Duration::from_secs(200)];

/// The wait before each attempt, before jitter.
const WAITS: [Duration; ATTEMPTS as usize] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

/// The shortest wait after 429 or a timeout, since the endpoint is overloaded.
const OVERLOAD_WAIT: Duration = Duration::from_secs(60);

/// The longest wait for which `Retry-After` is honored.
const LONGEST_ASKED: Duration = Duration::from_hours(24);

/// The wait from `now` until the next attempt, after `attempts_made` attempts of which the last ended with `outcome`. `None` if
/// the message is delivered or [`ATTEMPTS`] were made.
///
/// - The base is that of the schedule. Jitter, uniform from `random`, changes it by up to 20 %.
/// - After 429, 502, 503 and 504 a `Retry-After` makes the wait longer, up to twice the base and 24 h. It never makes it
///   shorter.
/// - After 429 or a timeout the wait is at least a minute.
///
/// The caller handles the responses that end a delivery: status 410 and [`DeliveryWish`](super::DeliveryWish).
pub fn next_wait(attempts_made: u32, outcome: &Outcome, now: Timestamp, random: &[u8; 32]) -> Option<Duration> {
    let base = *WAITS.get(usize::try_from(attempts_made).ok()?)?;
    if outcome.is_delivered() {
        return None;
    }
    let asked = asked_wait(outcome, now).min(base * 2).min(LONGEST_ASKED);
    let least = if is_overloaded(outcome) { OVERLOAD_WAIT } else { Duration::ZERO };
    Some(jittered(base, random).max(asked).max(least))
}

/// The wait until the next attempt of a challenge after `attempts_made` failed ones. `None` if [`CHALLENGE_ATTEMPTS`] were made.
/// `Retry-After` does not count, because the endpoint's owner waits.
pub fn next_challenge_wait(attempts_made: u32, random: &[u8; 32]) -> Option<Duration> {
    let base = *CHALLENGE_WAITS.get(usize::try_from(attempts_made).ok()?)?;
    Some(jittered(base, random))
}

/// The wait that `Retry-After` asks for, if the status gives it a meaning.
fn asked_wait(outcome: &Outcome, now: Timestamp) -> Duration {
    match outcome {
        Outcome::Answered(reply) if matches!(reply.status, 429 | 502 | 503 | 504) => {
            reply.retry_after.map_or(Duration::ZERO, |asked| asked.wait(now))
        }
        _ => Duration::ZERO,
    }
}

fn is_overloaded(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answered(reply) => reply.status == 429,
        Outcome::Failed(failure) => *failure == Failure::Timeout,
    }
}

/// From 80 % of the base to just below 120 %.
fn jittered(base: Duration, random: &[u8; 32]) -> Duration {
    let [a, b, c, d, ..] = *random;
    let spread = base * 2 / 5;
    let share = f64::from(u32::from_le_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0);
    base - base / 5 + spread.mul_f64(share)
}
