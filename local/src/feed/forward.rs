//! Forwards one event until the receiver has it. An event is never skipped silently.

use std::sync::Arc;
use std::time::Duration;

use platform::clock::Clock;
use platform::outbound::{Attempted, DeliveryWish, Outcome, RetryAfter};
use platform::random::Random;

use super::pace::Backoff;
use crate::webhook::target::Target;

/// The longest wait that a receiver can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// The waits between attempts at one event: from one second to a minute.
pub const RETRY: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };

/// How an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The receiver answered 2xx.
    Delivered,
    /// The limit of attempts is reached.
    GivenUp,
    /// The receiver asked not to get this event again, with `webhook-delivery: abort-message`.
    Aborted,
    /// With this response a deployment disables the endpoint: 410, or `webhook-delivery: disable`.
    Disabled { is_delivered: bool },
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    End(Fate),
    Retry(Duration),
}

/// One attempt, for a person.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    pub result: Attempted,
    pub next: Next,
}

pub struct Forwarder {
    pub target: Target,
    pub retry: Backoff,
    /// The number of attempts after which an event is given up. `None` for no limit.
    pub attempts: Option<u32>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

impl Forwarder {
    /// Sends a message until it is settled, or until `report` of a failed attempt returns that there shall be no other.
    pub async fn forward(&self, id: &str, body: &[u8], mut report: impl FnMut(&Attempt) -> bool) -> Option<Fate> {
        let mut number = 0_u32;
        loop {
            number = number.saturating_add(1);
            let result = self.target.send(id, body, self.clock.as_ref()).await;
            let next = self.judge(number, &result.outcome);
            let goes_on = report(&Attempt { number, result, next });
            match next {
                Next::End(fate) => return Some(fate),
                Next::Retry(wait) if goes_on => tokio::time::sleep(wait).await,
                Next::Retry(_) => return None,
            }
        }
    }

    fn judge(&self, number: u32, outcome: &Outcome) -> Next {
        let is_delivered = outcome.is_delivered();
        let (status, wish, asked) = match outcome {
            Outcome::Answered(reply) => (reply.status, reply.delivery, reply.retry_after),
            Outcome::Failed(_) => (0, None, None),
        };
        if status == 410 || wish == Some(DeliveryWish::Disable) {
            return Next::End(Fate::Disabled { is_delivered });
        }
        if is_delivered {
            return Next::End(Fate::Delivered);
        }
        if wish == Some(DeliveryWish::AbortMessage) {
            return Next::End(Fate::Aborted);
        }
        if self.attempts.is_some_and(|attempts| number >= attempts) {
            return Next::End(Fate::GivenUp);
        }
        let wait = self.retry.wait(number - 1, &self.random.bytes());
        let asked = asked.filter(|_| matches!(status, 429 | 502 | 503 | 504));
        Next::Retry(wait.max(asked.map(|asked| self.seconds(asked)).unwrap_or_default()))
    }

    fn seconds(&self, asked: RetryAfter) -> Duration {
        let wait = match asked {
            RetryAfter::Seconds(seconds) => seconds,
            RetryAfter::At(at) => u64::try_from(at.saturating_sub(self.clock.now().seconds())).unwrap_or_default(),
        };
        Duration::from_secs(wait).min(LONGEST_ASKED)
    }
}

#[cfg(test)]
mod tests {
    use platform::clock::SystemClock;
    use platform::outbound::{Failure, Reply};
    use platform::secrets::signature::SigningSecret;

    use super::*;
    use crate::testing::FixedRandom;

    fn forwarder(attempts: Option<u32>) -> Forwarder {
        let secret = SigningSecret::from_bytes(&[1; 32]);
        let target = Target::new("http://127.0.0.1:1", false, secret).unwrap();
        Forwarder { target, retry: RETRY, attempts, clock: Arc::new(SystemClock), random: Arc::new(FixedRandom(0)) }
    }

    fn answered(status: u16) -> Reply {
        Reply { status, retry_after: None, delivery: None, excerpt: String::new() }
    }

    #[test]
    fn only_2xx_is_delivered_and_everything_else_is_tried_again() {
        let forwarder = forwarder(None);
        let next = |outcome: Outcome| forwarder.judge(1, &outcome);
        for status in [200, 204, 299] {
            assert_eq!(next(Outcome::Answered(answered(status))), Next::End(Fate::Delivered));
        }
        for status in [199, 300, 302, 400, 404, 429, 500, 999] {
            assert_eq!(next(Outcome::Answered(answered(status))), Next::Retry(Duration::from_millis(800)), "{status}");
        }
        for failure in [Failure::Connect, Failure::Timeout, Failure::Protocol] {
            assert_eq!(next(Outcome::Failed(failure)), Next::Retry(Duration::from_millis(800)));
        }
    }

    #[test]
    fn a_limit_of_attempts_gives_up_and_without_one_it_goes_on() {
        let failed = Outcome::Failed(Failure::Connect);
        let limited = forwarder(Some(3));
        assert!(matches!(limited.judge(2, &failed), Next::Retry(_)));
        assert_eq!(limited.judge(3, &failed), Next::End(Fate::GivenUp));
        assert_eq!(forwarder(None).judge(u32::MAX, &failed), Next::Retry(Duration::from_secs(48)));
    }

    #[test]
    fn a_receiver_that_asks_is_heeded_as_in_a_deployment() {
        let forwarder = forwarder(None);
        let next = |status, delivery, retry_after| {
            forwarder.judge(1, &Outcome::Answered(Reply { delivery, retry_after, ..answered(status) }))
        };
        let disable = Some(DeliveryWish::Disable);
        assert_eq!(next(410, None, None), Next::End(Fate::Disabled { is_delivered: false }));
        assert_eq!(next(500, disable, None), Next::End(Fate::Disabled { is_delivered: false }));
        assert_eq!(next(200, disable, None), Next::End(Fate::Disabled { is_delivered: true }));
        assert_eq!(next(500, Some(DeliveryWish::AbortMessage), None), Next::End(Fate::Aborted));
        assert_eq!(next(200, Some(DeliveryWish::AbortMessage), None), Next::End(Fate::Delivered));
        let asked = |seconds| Some(RetryAfter::Seconds(seconds));
        assert_eq!(next(503, None, asked(7)), Next::Retry(Duration::from_secs(7)));
        assert_eq!(next(503, None, asked(86_400)), Next::Retry(LONGEST_ASKED));
        assert_eq!(next(500, None, asked(7)), Next::Retry(Duration::from_millis(800)));
    }
}
