//! When to try again: ten attempts in three days, as Standard Webhooks 1.0.0 proposes; jitter, `Retry-After` and the
//! longer pause for who is overwhelmed, as Svix does it.

use std::time::Duration;

use time::PrimitiveDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::reply::{Failure, Outcome};
use domain::Timestamp;

/// How often a message is sent before it is given up.
pub const ATTEMPTS: u32 = 10;

/// How long every message to an endpoint must have failed before the endpoint is disabled.
pub const DISABLE_AFTER: Duration = Duration::from_hours(120);

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

/// The least wait after 429 or a timeout: the endpoint has too much to do already.
const RELIEF: Duration = Duration::from_secs(60);

/// The longest wait that `Retry-After` brings about.
const LONGEST_ASKED: Duration = Duration::from_hours(24);

/// RFC 9110 §5.6.7. The obsolete forms are not read: no answer to us is that old.
const IMF_FIXDATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year base:calendar repr:full] [hour]:[minute]:[second] GMT"
);

/// The header `Retry-After` (RFC 9110 §10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// So many seconds after the answer.
    Seconds(u64),
    /// Not before this time, in Unix seconds. It may long be past.
    At(i64),
}

impl RetryAfter {
    /// Reads the header: digits, or a date in the form `Sun, 06 Nov 1994 08:49:37 GMT`. More seconds than fit are the
    /// most that fit. `None` for anything else, a wrong weekday included.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Self::Seconds(text.parse().unwrap_or(u64::MAX)));
        }
        let date = PrimitiveDateTime::parse(text, IMF_FIXDATE).ok()?;
        // Only what it would be written as: the parser alone takes any weekday.
        (date.format(IMF_FIXDATE).ok()? == text).then(|| Self::At(date.assume_utc().unix_timestamp()))
    }

    /// How long that is from now.
    fn wait(self, now: Timestamp) -> Duration {
        Duration::from_secs(match self {
            Self::Seconds(seconds) => seconds,
            Self::At(at) => u64::try_from(at.saturating_sub(now.seconds())).unwrap_or(0),
        })
    }
}

/// How long to wait before the next attempt, counted from `now`, when `attempts_made` were made and the last came to
/// `outcome`. `None` when there is none: the message is delivered, or [`ATTEMPTS`] were made.
///
/// - The base is that of the schedule; jitter, uniform from `random`, moves it by up to 20 % either way.
/// - On 429, 502, 503 and 504 a `Retry-After` makes the wait longer, up to twice the base and to 24 h, never shorter.
/// - After 429 and a timeout the wait is a minute at least.
///
/// Statuses that end a delivery (410) and [`DeliveryWish`](super::DeliveryWish) are the caller's to look at first.
pub fn next_wait(attempts_made: u32, outcome: &Outcome, now: Timestamp, random: &[u8; 32]) -> Option<Duration> {
    let base = *WAITS.get(usize::try_from(attempts_made).ok()?)?;
    if outcome.is_delivered() {
        return None;
    }
    let asked = asked_wait(outcome, now).min(base * 2).min(LONGEST_ASKED);
    let least = if is_overwhelmed(outcome) { RELIEF } else { Duration::ZERO };
    Some(jittered(base, random).max(asked).max(least))
}

/// What `Retry-After` asks for, where it has a meaning.
fn asked_wait(outcome: &Outcome, now: Timestamp) -> Duration {
    match outcome {
        Outcome::Answered(reply) if matches!(reply.status, 429 | 502 | 503 | 504) => {
            reply.retry_after.map_or(Duration::ZERO, |asked| asked.wait(now))
        }
        _ => Duration::ZERO,
    }
}

fn is_overwhelmed(outcome: &Outcome) -> bool {
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
