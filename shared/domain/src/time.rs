//! Time: milliseconds since 1970 in UTC, RFC 3339 on the wire (`2026-11-22T17:40:00.000Z`).

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use time::{OffsetDateTime, macros::format_description};

use crate::describe::describe;

const DAY_MS: i64 = 86_400_000;

/// A point in time in UTC, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970; what lies outside the years 1970 to 9999 is moved to the nearer end.
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.clamp(0, 253_402_300_799_999))
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This many days of 24 hours later.
    pub fn plus_days(self, days: u32) -> Self {
        Self::from_millis(self.0.saturating_add(i64::from(days) * DAY_MS))
    }

    /// This many days of 24 hours earlier.
    pub fn minus_days(self, days: u32) -> Self {
        Self::from_millis(self.0.saturating_sub(i64::from(days) * DAY_MS))
    }

    /// This much later.
    pub fn after(self, wait: Duration) -> Self {
        self.plus_millis(wait.as_millis().try_into().unwrap_or(i64::MAX))
    }

    /// This many milliseconds later (or earlier, when negative).
    pub fn plus_millis(self, ms: i64) -> Self {
        Self::from_millis(self.0.saturating_add(ms))
    }

    /// The UTC day as `yyyymmdd`.
    pub fn day(self) -> String {
        let date = self.to_offset().date();
        format!("{:04}{:02}{:02}", date.year(), u8::from(date.month()), date.day())
    }

    /// Whole seconds until the next UTC midnight, rounded up: whoever waits so long is there.
    pub fn seconds_to_midnight(self) -> u64 {
        let rest = DAY_MS - self.0.rem_euclid(DAY_MS);
        u64::try_from((rest + 999).div_euclid(1000)).unwrap_or(1)
    }

    /// Thirteen digits, so that text order is time order.
    pub fn sortable(self) -> String {
        format!("{:013}", self.0)
    }

    /// The other direction of [`sortable`](Self::sortable); `None` for anything else.
    pub fn parse_sortable(text: &str) -> Option<Self> {
        let digits = text.len() == 13 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Self)
    }

    /// The other direction of the wire format; `None` when it is not `yyyy-mm-ddThh:mm:ss[.fff]Z`.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.ends_with('Z') {
            return None;
        }
        let parsed = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
        let ms = i64::try_from(parsed.unix_timestamp_nanos() / 1_000_000).ok()?;
        (0..=253_402_300_799_999).contains(&ms).then_some(Self(ms))
    }

    /// Any RFC 3339 time, whatever its offset.
    pub fn parse_any(text: &str) -> Option<Self> {
        let parsed = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
        Some(Self::from_millis(i64::try_from(parsed.unix_timestamp_nanos() / 1_000_000).ok()?))
    }

    fn to_offset(self) -> OffsetDateTime {
        let nanos = i128::from(self.0) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
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

describe!(Timestamp: schemars::json_schema!({"type": "string", "format": "date-time"}));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_milliseconds_and_read_back() {
        let at = Timestamp::from_millis(1_795_369_200_123);
        assert_eq!(at.to_string(), "2026-11-22T17:40:00.123Z");
        assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
    }

    #[test]
    fn hostile_dates_are_no_times() {
        for text in [
            "",
            "0000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-01-01T00:00:00+99:99",
            "2026-01-01T00:00:00+00:00",
            "2026-01-01",
            "1969-12-31T23:59:59Z",
            "2026-01-01T24:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_day_and_the_rest_of_it_are_counted_in_utc() {
        let at = Timestamp::from_millis(1_795_391_999_999);
        assert_eq!(at.day(), "20261122");
        assert_eq!(at.seconds_to_midnight(), 1);
        assert_eq!(at.plus_millis(-1_000).seconds_to_midnight(), 2, "1.001 s are left");
        assert_eq!(Timestamp::from_millis(1_795_392_000_000).day(), "20261123");
        assert_eq!(Timestamp::from_millis(1_795_392_000_000).seconds_to_midnight(), 86_400);
    }
}
