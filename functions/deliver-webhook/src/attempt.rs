//! One attempt: claimed, sent, and what came of it written down.

use std::time::Duration;

use domain::{Delivery, DeliveryPurpose, DeliveryState, Endpoint, LastAttempt, SecretVersion, Timestamp};
use platform::handler::App;
use platform::lambda::RunBudget;
use platform::outbound::{
    ATTEMPTS, Attempted, DISABLE_AFTER, DeliveryWish, EndpointUrl, Failure, Message, Outcome, Sender, next_wait,
};
use platform::secrets::signature::{SigningSecret, sign};
use platform::store::{Health, Settled};

use crate::deliver::{Next, next, until};
use crate::endpoint::{Changed, Reason, activate, disable};
use crate::text;

/// An attempt that nobody tells the end of is made again no sooner than this: after the sender's own time.
const UNTOLD: Duration = Duration::from_secs(60);
/// When to look again at what could not be begun.
const SOON: Duration = Duration::from_secs(1);
/// Failed attempts after which the log warns.
const WARN_AFTER: u32 = 4;

/// What an attempt means for its delivery and its endpoint.
struct Verdict {
    settled: Settled,
    health: Health,
    /// Why nothing more is to be sent to the endpoint.
    disable: Option<Reason>,
}

pub(crate) async fn attempt(
    app: &App,
    time: RunBudget,
    endpoint: &Endpoint,
    delivery: &Delivery,
    message: &[u8],
) -> Result<Next, String> {
    if !time.is_left() {
        return Ok(Next::Later(SOON));
    }
    // Whatever can go wrong on our side goes wrong before an attempt is counted.
    let (sender, secrets) = (app.sender().map_err(text)?, live_secrets(app, endpoint)?);
    let untold = app.clock.now() + UNTOLD;
    let claimed = app.store.claim(time.op(app), delivery, untold).await.map_err(text)?;
    // Somebody else has it, or it has ended: the next look tells.
    let Some(claimed) = claimed else { return Ok(Next::Later(SOON)) };
    let attempted = send(app, sender, &secrets, endpoint, &claimed, message).await;
    let mut verdict = judge(app, endpoint, &claimed, &attempted);
    if attempted.outcome.is_delivered() && claimed.purpose == DeliveryPurpose::Challenge {
        activate(app, time, endpoint).await?;
    }
    if let Some(reason) = verdict.disable
        && disable(app, time, endpoint, reason).await? == Changed::Elsewhere
        && verdict.settled.state != DeliveryState::Delivered
    {
        verdict.settled = Settled { state: DeliveryState::Pending, next_at: Some(app.clock.now()), ..verdict.settled };
    }
    tell(&claimed, &verdict);
    let settling = time.op(app);
    app.store.settle(settling, &claimed, &verdict.settled).await.map_err(text)?;
    note_health(app, time, &claimed, verdict.health).await;
    Ok(match verdict.settled.next_at {
        Some(due) => next(until(due, settling.occurred_at).unwrap_or_default()),
        None => Next::Finished,
    })
}

/// The next attempt notes it as well.
async fn note_health(app: &App, time: RunBudget, delivery: &Delivery, health: Health) {
    if let Err(error) = app.store.note_health(time.op(app), delivery, health).await {
        tracing::warn!(%error, endpoint_id = %delivery.endpoint_id, "an endpoint's health could not be noted");
    }
}

/// The secrets that messages are signed with now, newest first.
fn live_secrets(app: &App, endpoint: &Endpoint) -> Result<Vec<SigningSecret>, String> {
    let secret = |live: &SecretVersion| {
        app.keys.endpoint_secret(live.key_number, &endpoint.endpoint_id, live.version).map_err(text)
    };
    endpoint.live_secrets(app.clock.now()).map(secret).collect()
}

/// Sends the message, signed with every live secret.
async fn send(
    app: &App,
    sender: &Sender,
    secrets: &[SigningSecret],
    endpoint: &Endpoint,
    delivery: &Delivery,
    message: &[u8],
) -> Attempted {
    let Ok(url) = EndpointUrl::parse(&endpoint.url, app.endpoints.loopback) else {
        return Attempted { outcome: Outcome::Failed(Failure::Forbidden), latency: Duration::ZERO };
    };
    let (id, timestamp) = (delivery.webhook_id.as_str(), app.clock.now().seconds());
    let signatures: Vec<String> = secrets.iter().map(|secret| sign(secret, id, timestamp, message)).collect();
    sender.send(&url, &Message { id, timestamp, signature: signatures.join(" "), body: message }).await
}

fn judge(app: &App, endpoint: &Endpoint, delivery: &Delivery, attempted: &Attempted) -> Verdict {
    let last = Some(last_attempt(attempted));
    let ended = |state, health, disable| Verdict {
        settled: Settled { state, next_at: None, last: last.clone() },
        health,
        disable,
    };
    let wish = match &attempted.outcome {
        Outcome::Answered(reply) => reply.delivery,
        Outcome::Failed(_) => None,
    };
    if attempted.outcome.is_delivered() {
        let health = if endpoint.failing_since.is_some() { Health::Well } else { Health::Same };
        let disable = (wish == Some(DeliveryWish::Disable)).then_some(Reason::AskedByReceiver);
        return ended(DeliveryState::Delivered, health, disable);
    }
    let health = if endpoint.failing_since.is_none() { Health::Failing } else { Health::Same };
    if matches!(&attempted.outcome, Outcome::Answered(reply) if reply.status == 410) {
        return ended(DeliveryState::EndpointDisabled, Health::Same, Some(Reason::Gone));
    }
    match wish {
        Some(DeliveryWish::Disable) => {
            return ended(DeliveryState::EndpointDisabled, Health::Same, Some(Reason::AskedByReceiver));
        }
        // Somebody is there, so the endpoint is not failing. Whoever declines a challenge has failed it.
        Some(DeliveryWish::AbortMessage) => {
            let challenge = delivery.purpose == DeliveryPurpose::Challenge;
            return ended(DeliveryState::Aborted, Health::Same, challenge.then_some(Reason::ChallengeFailed));
        }
        None => {}
    }
    let now = app.clock.now();
    let disable = fails_for_too_long(endpoint, now).then_some(Reason::Failing);
    match next_wait(delivery.attempt, &attempted.outcome, now, &app.random.bytes()) {
        Some(wait) => {
            let next_at = Some(now + wait);
            Verdict { settled: Settled { state: DeliveryState::Pending, next_at, last }, health, disable }
        }
        None if delivery.purpose == DeliveryPurpose::Challenge => {
            ended(DeliveryState::Exhausted, health, Some(Reason::ChallengeFailed))
        }
        None => ended(DeliveryState::Exhausted, health, disable),
    }
}

fn fails_for_too_long(endpoint: &Endpoint, now: Timestamp) -> bool {
    let failing = endpoint.failing_since.and_then(|since| u64::try_from(now.millis() - since.millis()).ok());
    failing.is_some_and(|failing| Duration::from_millis(failing) >= DISABLE_AFTER)
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

/// Ids and outcome, and nothing that came from the receiver.
fn tell(delivery: &Delivery, verdict: &Verdict) {
    let last = verdict.settled.last.as_ref();
    let (status, failure) = (last.and_then(|last| last.status), last.and_then(|last| last.failure.as_deref()));
    let (webhook_id, endpoint_id, attempt) = (&delivery.webhook_id, &delivery.endpoint_id, delivery.attempt);
    let state = verdict.settled.state;
    tracing::info!(%webhook_id, %endpoint_id, attempt, status, failure, %state, "attempt");
    if state == DeliveryState::Pending && attempt == WARN_AFTER {
        tracing::warn!(%webhook_id, %endpoint_id, attempt, left = ATTEMPTS - attempt, "a delivery keeps failing");
    }
}
