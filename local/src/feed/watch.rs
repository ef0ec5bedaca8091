//! Decides when to read the feed again, and what a person should know: whether it is offline or behind.

use std::fmt;
use std::time::Duration;

use domain::Timestamp;

use super::pace::Pace;

/// Events that are older than this when they are read were waiting. The feed itself is 12 s behind.
const BEHIND: Duration = Duration::from_secs(60);
/// A reader that stays offline says so again after this time.
const REMIND: Duration = Duration::from_secs(300);
/// The longest wait that a server can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// The result of one request to the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// Events arrived. The last one is from this time.
    Events { last: Timestamp },
    /// There is nothing new.
    Nothing,
    /// A part of the feed had nothing to read, and there is more.
    More,
    /// There was no usable response. The server may have said how long to wait.
    Failed { reason: String, retry_after: Option<Duration> },
}

/// What a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    Offline {
        reason: String,
    },
    StillOffline {
        reason: String,
        since: Duration,
    },
    Online {
        after: Duration,
    },
    /// Events since this time are waiting.
    Behind {
        at: Timestamp,
    },
    UpToDate,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offline { reason } => write!(f, "Offline: {reason}. Trying again until it works."),
            Self::StillOffline { reason, since } => write!(f, "Still offline after {}: {reason}.", Spoken(*since)),
            Self::Online { after } => write!(f, "Online again after {}.", Spoken(*after)),
            Self::Behind { at } => write!(f, "Behind: reading events from {at} on."),
            Self::UpToDate => f.write_str("Up to date."),
        }
    }
}

/// A duration for a person.
pub struct Spoken(pub Duration);

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => write!(f, "{} ms", self.0.as_millis()),
            seconds @ 1..120 => write!(f, "{seconds} s"),
            seconds @ 120..7_200 => write!(f, "{} min", seconds / 60),
            seconds => write!(f, "{} h", seconds / 3_600),
        }
    }
}

/// The state of a reader.
#[derive(Debug)]
pub struct Watch {
    pace: Pace,
    offline: Option<Offline>,
    is_behind: bool,
    /// Responses without events, one after the other.
    quiet: u32,
}

#[derive(Debug)]
struct Offline {
    since: Timestamp,
    said: Timestamp,
    reason: String,
    failures: u32,
}

impl Watch {
    pub fn new(pace: Pace) -> Self {
        Self { pace, offline: None, is_behind: false, quiet: 0 }
    }

    /// Notes the result of a request that ended at `now`. Returns the wait before the next one, and what to say.
    pub fn note(&mut self, polled: Polled, now: Timestamp, random: &[u8; 32]) -> (Duration, Vec<Notice>) {
        let (reason, retry_after) = match polled {
            Polled::Failed { reason, retry_after } => (reason, retry_after),
            answered => return self.answered(&answered, now, random),
        };
        let (failures, notice) = self.failed(reason, now);
        let wait = self.pace.offline.wait(failures, random);
        (wait.max(retry_after.unwrap_or_default().min(LONGEST_ASKED)), notice.into_iter().collect())
    }

    fn failed(&mut self, reason: String, now: Timestamp) -> (u32, Option<Notice>) {
        let Some(offline) = &mut self.offline else {
            self.offline = Some(Offline { since: now, said: now, reason: reason.clone(), failures: 0 });
            return (0, Some(Notice::Offline { reason }));
        };
        offline.failures = offline.failures.saturating_add(1);
        let mut notice = None;
        if offline.reason != reason || now.since(offline.said) >= REMIND {
            offline.reason.clone_from(&reason);
            offline.said = now;
            notice = Some(Notice::StillOffline { reason, since: now.since(offline.since) });
        }
        (offline.failures, notice)
    }

    fn answered(&mut self, polled: &Polled, now: Timestamp, random: &[u8; 32]) -> (Duration, Vec<Notice>) {
        let mut notices = Vec::new();
        if let Some(offline) = self.offline.take() {
            notices.push(Notice::Online { after: now.since(offline.since) });
        }
        if *polled != Polled::Nothing {
            self.quiet = 0;
            if let Polled::Events { last } = polled
                && !self.is_behind
                && now.since(*last) > BEHIND
            {
                self.is_behind = true;
                notices.push(Notice::Behind { at: *last });
            }
            return (Duration::ZERO, notices);
        }
        if std::mem::take(&mut self.is_behind) {
            notices.push(Notice::UpToDate);
        }
        let wait = self.pace.idle.wait(self.quiet, random);
        self.quiet = self.quiet.saturating_add(1);
        (wait, notices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: [u8; 32] = [0; 32];

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_795_369_200_000 + seconds * 1_000)
    }

    fn failed(reason: &str) -> Polled {
        Polled::Failed { reason: reason.to_owned(), retry_after: None }
    }

    fn said(watch: &mut Watch, polled: Polled, now: i64) -> Vec<String> {
        watch.note(polled, at(now), &RANDOM).1.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn waits_grow_while_nothing_happens_and_start_again_after_an_event() {
        let mut watch = Watch::new(Pace::default());
        let mut wait = |polled| watch.note(polled, at(0), &RANDOM).0.as_millis();
        assert_eq!([0; 4].map(|_| wait(Polled::Nothing)), [800, 1_600, 3_200, 4_000]);
        assert_eq!((wait(Polled::Events { last: at(0) }), wait(Polled::Nothing), wait(Polled::More)), (0, 800, 0));
        assert_eq!([0; 7].map(|_| wait(failed("x"))), [800, 1_600, 3_200, 6_400, 12_800, 24_000, 24_000]);
        assert_eq!((wait(Polled::Nothing), wait(failed("x"))), (800, 800));
    }

    #[test]
    fn a_server_can_ask_for_a_longer_wait_and_not_for_a_shorter_one() {
        let mut watch = Watch::new(Pace::default());
        let mut wait = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            watch.note(Polled::Failed { reason: "x".into(), retry_after }, at(0), &RANDOM).0.as_millis()
        };
        assert_eq!((wait(90), wait(0), wait(86_400)), (90_000, 1_600, 300_000));
    }

    #[test]
    fn offline_is_said_once_with_reminders_and_so_is_the_return() {
        let mut watch = Watch::new(Pace::default());
        assert!(said(&mut watch, Polled::Nothing, 0).is_empty());
        assert_eq!(said(&mut watch, failed("a"), 1), ["Offline: a. Trying again until it works."]);
        assert!(said(&mut watch, failed("a"), 2).is_empty());
        assert_eq!(said(&mut watch, failed("b"), 3), ["Still offline after 2 s: b."]);
        assert!(said(&mut watch, failed("b"), 302).is_empty());
        assert_eq!(said(&mut watch, failed("b"), 303), ["Still offline after 5 min: b."]);
        assert_eq!(said(&mut watch, Polled::Nothing, 36_001), ["Online again after 10 h."]);
        assert!(said(&mut watch, Polled::Nothing, 36_002).is_empty());
    }

    #[test]
    fn behind_is_said_once_and_so_is_the_end_of_it() {
        let mut watch = Watch::new(Pace::default());
        assert!(said(&mut watch, Polled::Events { last: at(-59) }, 0).is_empty());
        assert!(said(&mut watch, Polled::Nothing, 0).is_empty());
        let behind = format!("Behind: reading events from {} on.", at(-61));
        assert_eq!(said(&mut watch, Polled::Events { last: at(-61) }, 0), [behind]);
        for last in [-61, -30, 0] {
            assert!(said(&mut watch, Polled::Events { last: at(last) }, 0).is_empty());
        }
        assert!(said(&mut watch, Polled::More, 0).is_empty());
        assert_eq!(said(&mut watch, Polled::Nothing, 0), ["Up to date."]);
        assert!(said(&mut watch, Polled::Nothing, 0).is_empty());
    }
}
