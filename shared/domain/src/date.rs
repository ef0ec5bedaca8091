//! Dates without a time, for statements such as the start of a subscription.

use std::fmt;
use std::time::Duration;

use super::Timestamp;
use crate::describe::{describe, text_in_json};

/// A day of the years 1970 to 9999, as `YYYY-MM-DD`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(String);

impl Date {
    /// Reads `YYYY-MM-DD`; `None` for any other text and for days that do not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let is_long = text.len() == 10;
        let midnight = is_long.then(|| format!("{text}T00:00:00.000Z"))?;
        Timestamp::parse(&midnight).map(|_| Self(text.to_owned()))
    }

    /// The day after the UTC day of a time.
    pub fn tomorrow(now: Timestamp) -> Self {
        let day = (now + Duration::from_hours(24)).to_string();
        Self(day.chars().take(10).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_in_json!(Date, "a date such as 2026-11-22");

describe!(Date: crate::describe::text(&["A date, as `YYYY-MM-DD`."], "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist_are_dates() {
        for text in ["1970-01-01", "2024-02-29", "2026-11-22", "9999-12-31"] {
            assert_eq!(Date::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "2026-11-31",
            "2025-02-29",
            "2026-1-1",
            "26-11-22",
            "2026-11-22T00:00:00Z",
            "2026-11-22 ",
            "2026-13-01",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

    #[test]
    fn tomorrow_is_the_next_utc_day() {
        for (now, tomorrow) in [
            ("2026-11-22T00:00:00.000Z", "2026-11-23"),
            ("2026-11-22T23:59:59.999Z", "2026-11-23"),
            ("2026-12-31T12:00:00.000Z", "2027-01-01"),
        ] {
            assert_eq!(Date::tomorrow(Timestamp::parse(now).unwrap()).as_str(), tomorrow);
        }
    }
}
