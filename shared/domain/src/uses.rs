//! Limits like "ten in an hour": the times of the last uses.

use std::time::Duration;

use super::Timestamp;

/// The times of the last uses, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses(Vec<Timestamp>);

/// One more use: what was stored, and what is stored from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    pub before: Uses,
    pub after: Uses,
}

impl Uses {
    /// Adds a use at `now`, if there are fewer than `most` in the `span` before it.
    ///
    /// # Errors
    /// The time until there is room.
    pub fn another(&self, now: Timestamp, span: Duration, most: u32) -> Result<Use, Duration> {
        let mut after: Vec<Timestamp> = self.0.iter().copied().filter(|at| now.since(*at) < span).collect();
        // The use that must be older than the span before there is room.
        if let Some(blocking) =
            after.len().checked_sub(usize::try_from(most).unwrap_or(usize::MAX)).and_then(|at| after.get(at))
        {
            return Err((*blocking + span).since(now));
        }
        after.push(now);
        after.sort_unstable();
        Ok(Use { before: self.clone(), after: Self(after) })
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Milliseconds since 1970, separated by commas.
    pub fn to_text(&self) -> String {
        self.0.iter().map(|at| at.millis().to_string()).collect::<Vec<_>>().join(",")
    }

    pub fn parse(text: &str) -> Option<Self> {
        let times = text.split(',').map(|at| at.parse().ok().map(Timestamp::from_millis));
        times.collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_795_369_200_000);
    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn no_hour_has_more_uses_than_the_limit_and_the_wait_is_exact() {
        let (mut uses, mut admitted) = (Uses::default(), Vec::new());
        for minute in 0..300 {
            let now = START + Duration::from_mins(minute);
            match uses.another(now, HOUR, 10) {
                Ok(next) => {
                    uses = next.after;
                    admitted.push(minute);
                }
                Err(wait) => {
                    let then = now + wait;
                    assert!(uses.another(then, HOUR, 10).is_ok());
                    assert!(uses.another(then - Duration::from_millis(1), HOUR, 10).is_err());
                }
            }
        }
        assert!(admitted.windows(11).all(|eleven| eleven[10] - eleven[0] >= 60), "{admitted:?}");
        assert_eq!(admitted.len(), 50);
    }

    #[test]
    fn a_lower_limit_applies_to_earlier_uses() {
        let mut uses = Uses::default();
        for _ in 0..5 {
            uses = uses.another(START, HOUR, 10).unwrap().after;
        }
        assert_eq!(uses.another(START, HOUR, 3), Err(HOUR));
    }

    #[test]
    fn the_text_of_uses_parses_to_them() {
        let mut uses = Uses::default();
        for minute in 0..3 {
            uses = uses.another(START + Duration::from_mins(minute), HOUR, 10).unwrap().after;
            assert_eq!(Uses::parse(&uses.to_text()), Some(uses.clone()));
        }
        assert_eq!(Uses::parse("1,x"), None);
    }
}
