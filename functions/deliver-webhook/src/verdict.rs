//! What an attempt's outcome means for its delivery and its endpoint.

use domain::{Delivery, DeliveryPurpose, DeliveryState, Failing, LastAttempt, Recipient, Timestamp};
use platform::outbound::{Attempted, DeliveryWish, Outcome, next_challenge_wait, next_wait};
use platform::store::{Health, Settled};

use crate::deliverer::Deliverer;
use crate::endpoint::Reason;

pub(crate) struct Verdict {
    pub(crate) settled: Settled,
    pub(crate) health: Health,
    /// Why the endpoint must be disabled.
    pub(crate) disable: Option<Reason>,
}

pub(crate) fn judge(
    deliverer: &Deliverer,
    recipient: &Recipient,
    delivery: &Delivery,
    attempted: &Attempted,
) -> Verdict {
    let wish = match &attempted.outcome {
        Outcome::Answered(reply) => reply.delivery,
        Outcome::Failed(_) => None,
    };
    let last = last_attempt(attempted);
    // The receiver works if it accepts a message, and if it says what to do with one.
    let well = if recipient.endpoint.failing.is_some() { Health::Well } else { Health::Same };
    if attempted.outcome.is_delivered() {
        let disable = (wish == Some(DeliveryWish::Disable)).then_some(Reason::AskedByReceiver);
        return ended(last, DeliveryState::Delivered, well, disable);
    }
    if matches!(&attempted.outcome, Outcome::Answered(reply) if reply.status == 410) {
        return ended(last, DeliveryState::EndpointDisabled, Health::Same, Some(Reason::Gone));
    }
    match wish {
        Some(DeliveryWish::Disable) => {
            ended(last, DeliveryState::EndpointDisabled, Health::Same, Some(Reason::AskedByReceiver))
        }
        Some(DeliveryWish::AbortMessage) => ended(last, DeliveryState::Aborted, well, None),
        None => failed(deliverer, recipient, delivery, attempted, last),
    }
}

/// An attempt that says nothing about the recipient as it is now. The message is due at once.
pub(crate) fn void(deliverer: &Deliverer, attempted: &Attempted) -> Verdict {
    let (next_at, last) = (Some(deliverer.clock.now()), Some(last_attempt(attempted)));
    let settled = Settled { state: DeliveryState::Pending, next_at, last, is_uncounted: true };
    Verdict { settled, health: Health::Same, disable: None }
}

/// Schedules the next attempt, if there is one.
fn failed(
    deliverer: &Deliverer,
    recipient: &Recipient,
    delivery: &Delivery,
    attempted: &Attempted,
    last: LastAttempt,
) -> Verdict {
    let (now, random) = (deliverer.clock.now(), deliverer.random.bytes());
    let is_challenge = delivery.purpose == DeliveryPurpose::Challenge;
    let wait = if is_challenge {
        next_challenge_wait(delivery.attempt, &random)
    } else {
        next_wait(delivery.attempt, &attempted.outcome, now, &random)
    };
    let (health, disable) = if is_challenge { (Health::Same, None) } else { health_after_failure(recipient, now) };
    match wait {
        Some(wait) => {
            let next_at = Some(now + wait);
            let settled = Settled { state: DeliveryState::Pending, next_at, last: Some(last), is_uncounted: false };
            Verdict { settled, health, disable }
        }
        None => ended(last, DeliveryState::Exhausted, health, disable),
    }
}

fn health_after_failure(recipient: &Recipient, now: Timestamp) -> (Health, Option<Reason>) {
    let before = recipient.endpoint.failing;
    let failing = Failing::after(before, now, recipient.counted_from());
    let health = if failing.is_news_after(before) { Health::Failing(failing) } else { Health::Same };
    (health, failing.is_too_long().then_some(Reason::Failing))
}

fn ended(last: LastAttempt, state: DeliveryState, health: Health, disable: Option<Reason>) -> Verdict {
    let settled = Settled { state, next_at: None, last: Some(last), is_uncounted: false };
    Verdict { settled, health, disable }
}

fn last_attempt(attempted: &Attempted) -> LastAttempt {
    let latency_ms = attempted.latency.as_millis().try_into().unwrap_or(u64::MAX);
    match &attempted.outcome {
        Outcome::Answered(reply) => {
            LastAttempt { status: Some(reply.status), failure: None, latency_ms, excerpt: reply.excerpt.clone() }
        }
        Outcome::Failed(failure) => {
            LastAttempt { status: None, failure: Some(failure.as_str().to_owned()), latency_ms, excerpt: String::new() }
        }
    }
}
