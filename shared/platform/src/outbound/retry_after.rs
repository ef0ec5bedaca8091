use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::Timestamp;

/// The header `Retry-After` (RFC 9110 §10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// This many seconds after the response.
    Seconds(u64),
    /// Not before this time, in Unix seconds. It may be in the past.
    At(i64),
}

impl RetryAfter {
    /// Parses digits, or a date of the form `Sun, 06 Nov 1994 08:49:37 GMT` from 1970 on. A number that is too large becomes
    /// the largest possible. `None` for anything else, including the obsolete forms of dates and wrong weekdays.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Self::Seconds(text.parse().unwrap_or(u64::MAX)));
        }
        parse_date(text)?.try_into().ok().map(Self::At)
    }

    /// The time from now until then.
    pub(super) fn wait(self, now: Timestamp) -> Duration {
        Duration::from_secs(match self {
            Self::Seconds(seconds) => seconds,
            Self::At(at) => u64::try_from(at.saturating_sub(now.seconds())).unwrap_or(0),
        })
    }
}

/// A date in its one current form, in Unix seconds.
fn parse_date(text: &str) -> Option<u64> {
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    let is_exact = httpdate::fmt_http_date(date) == text;
    date.duration_since(UNIX_EPOCH).ok().filter(|_| is_exact).map(|elapsed| elapsed.as_secs())
}
