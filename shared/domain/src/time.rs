//! Time: milliseconds since 1970 in UTC; RFC 3339 in JSON (`2026-11-22T17:40:00.000Z`).

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, macros::format_description};

use crate::describe::describe;

const DAY_MS: i64 = 86_400_000;
/// The last millisecond of the year 9999.
const MAX_MS: i64 = 253_402_300_799_999;

/// A time in UTC, to the millisecond, in the years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970. Times outside the years 1970 to 9999 become the nearest time inside.
    pub const fn from_millis(ms: i64) -> Self {
        match ms {
            ..0 => Self(0),
            0..=MAX_MS => Self(ms),
            _ => Self(MAX_MS),
        }
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0 / 1000
    }

    /// The time since `earlier`; zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis((self.0 - earlier.0).max(0).unsigned_abs())
    }

    /// This many milliseconds later, or earlier if negative.
    pub fn plus_millis(self, ms: i64) -> Self {
        Self::from_millis(self.0.saturating_add(ms))
    }

    /// Days of 24 hours.
    pub fn plus_days(self, days: u32) -> Self {
        Self::from_millis(self.0 + i64::from(days) * DAY_MS)
    }

    /// Days of 24 hours.
    pub fn minus_days(self, days: u32) -> Self {
        Self::from_millis(self.0 - i64::from(days) * DAY_MS)
    }

    /// The UTC day as `yyyymmdd`.
    pub fn day(self) -> String {
        let date = self.to_offset().date();
        format!("{:04}{:02}{:02}", date.year(), u8::from(date.month()), date.day())
    }

    /// Seconds until the next UTC midnight, rounded up.
    pub fn seconds_to_midnight(self) -> u64 {
        (DAY_MS - self.0 % DAY_MS).unsigned_abs().div_ceil(1000)
    }

    /// The next UTC midnight.
    pub fn next_midnight(self) -> Self {
        Self(self.0 - self.0.rem_euclid(DAY_MS) + DAY_MS)
    }

    /// Thirteen digits, so that text order is time order.
    pub fn sortable(self) -> String {
        format!("{:013}", self.0)
    }

    /// Reads what [`sortable`](Self::sortable) writes; `None` for any other text.
    pub fn parse_sortable(text: &str) -> Option<Self> {
        let digits = text.len() == 13 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|ms| digits && *ms <= MAX_MS).map(Self)
    }

    /// Reads `yyyy-mm-ddThh:mm:ss[.f…]Z`; `None` for any other text. Fractions of a millisecond are cut off.
    pub fn parse(text: &str) -> Option<Self> {
        let ms = parse_millis(text).filter(|_| text.ends_with('Z'))?;
        (0..=MAX_MS).contains(&ms).then_some(Self(ms))
    }

    /// Reads an RFC 3339 time with any UTC offset; `None` for any other text. Times outside the years 1970 to 9999 become the
    /// nearest time inside.
    pub fn parse_with_offset(text: &str) -> Option<Self> {
        parse_millis(text).map(Self::from_millis)
    }

    fn to_offset(self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(self.0)
    }
}

/// Stops at the end of the year 9999.
impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(millis_of(duration)))
    }
}

/// Stops at the start of 1970.
impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self::from_millis(self.0.saturating_sub(millis_of(duration)))
    }
}

/// Reads an RFC 3339 time as milliseconds since 1970.
fn parse_millis(text: &str) -> Option<i64> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(parsed.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

fn millis_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        f.write_str(&self.to_offset().format(&format).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("expected a UTC time such as 2026-11-22T17:40:00Z"))
    }
}

describe!(Timestamp: schemars::json_schema!({"description": "A time in UTC (RFC 3339), with milliseconds.", "type": "string", "format": "date-time"}));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_milliseconds_and_read_back() {
        let at = Timestamp::from_millis(1_795_369_200_123);
        assert_eq!(at.to_string(), "2026-11-22T17:40:00.123Z");
        assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
        assert_eq!(Timestamp::parse_sortable(&at.sortable()), Some(at));
        assert_eq!(Timestamp::parse_with_offset("2026-11-22T18:40:00.123+01:00"), Some(at));
    }

    #[test]
    fn malformed_and_out_of_range_times_are_rejected() {
        for text in [
            "",
            "0000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-01-01T00:00:00+99:99",
            "2026-01-01T00:00:00+00:00",
            "2026-01-01",
            "1969-12-31T23:59:59Z",
            "1969-12-31T23:59:59.9999Z",
            "2026-01-01T24:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        let clamped = Timestamp::parse_with_offset("1970-01-01T00:00:00+01:00");
        assert_eq!(clamped, Some(Timestamp::from_millis(0)));
    }

    #[test]
    fn arithmetic_stays_in_the_years_1970_to_9999() {
        let (first, last) = (Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX));
        assert_eq!(last.to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!((last + Duration::MAX, first - Duration::MAX), (last, first));
        assert_eq!((last.plus_days(u32::MAX), first.minus_days(u32::MAX)), (last, first));
        assert_eq!(first.since(last), Duration::ZERO);
        assert_eq!((first + Duration::from_millis(5)).since(first), Duration::from_millis(5));
    }

    #[test]
    fn days_are_utc_days() {
        let at = Timestamp::from_millis(1_795_391_999_999);
        assert_eq!(at.day(), "20261122");
        assert_eq!(at.seconds_to_midnight(), 1);
        assert_eq!(at.next_midnight(), Timestamp::from_millis(1_795_392_000_000));
        assert_eq!(at.next_midnight().next_midnight(), at.next_midnight().plus_days(1));
        assert_eq!((at - Duration::from_secs(1)).seconds_to_midnight(), 2, "1.001 s are left");
        assert_eq!(Timestamp::from_millis(1_795_392_000_000).day(), "20261123");
        assert_eq!(Timestamp::from_millis(1_795_392_000_000).seconds_to_midnight(), 86_400);
    }
}
