//! One delivery attempt: claim it, send the message, store the result.

use std::time::Duration;

use domain::{Delivery, DeliveryPurpose, DeliveryState, Endpoint, Recipient, SecretVersion};
use platform::lambda::RunBudget;
use platform::outbound::{ATTEMPTS, Attempted, EndpointUrl, Failure, Message, Outcome};
use platform::secrets::UnknownMasterKey;
use platform::secrets::signature::{SigningSecret, sign};
use platform::store::{Health, StoreError};

use crate::deliverer::{Deliverer, DeliveryError};
use crate::endpoint::{activate, disable};
use crate::next::{Next, until};
use crate::verdict::{Verdict, judge, void};

/// An attempt without a stored result may be made again after this time, which is longer than the sender's time limit.
const CLAIM: Duration = Duration::from_secs(60);
/// When an attempt that could not start is tried again.
const SOON: Duration = Duration::from_secs(1);
/// The number of failed attempts after which the log warns.
const WARN_AFTER: u32 = 4;

pub(crate) async fn attempt(
    deliverer: &Deliverer,
    budget: RunBudget,
    recipient: &Recipient,
    delivery: &Delivery,
    message: &[u8],
) -> Result<Next, DeliveryError> {
    if !budget.is_left() {
        return Ok(Next::Later(SOON));
    }
    let endpoint = &recipient.endpoint;
    // An error of ours must not count as an attempt, so secrets and TLS come before the claim.
    let secrets = live_secrets(deliverer, endpoint)?;
    if let Ok(url) = EndpointUrl::parse(&endpoint.url, deliverer.loopback) {
        deliverer.sender.prepare(&url)?;
    }
    let claimed_until = deliverer.clock.now() + CLAIM;
    let claimed = deliverer.store.claim(deliverer.op(budget), delivery, recipient.period(), claimed_until).await?;
    // Another function makes the attempt, or the delivery has ended.
    let Some(claimed) = claimed else { return Ok(Next::Later(SOON)) };
    let attempted = send(deliverer, &secrets, endpoint, &claimed, message).await;
    let current = current_recipient(deliverer, budget, recipient, &attempted).await?;
    let verdict = match &current {
        Some(current) => judge(deliverer, current, &claimed, &attempted),
        None => void(deliverer, &attempted),
    };
    let current = current.as_ref().unwrap_or(recipient);
    log(&claimed, &verdict);
    store(deliverer, budget, &current.endpoint, &claimed, &verdict).await
}

/// The recipient that the attempt says something about. After a failure it is read again. `None` if it has become pending, or
/// its partner was suspended, since the attempt began: the failure may be that of another URL.
async fn current_recipient(
    deliverer: &Deliverer,
    budget: RunBudget,
    recipient: &Recipient,
    attempted: &Attempted,
) -> Result<Option<Recipient>, StoreError> {
    if attempted.outcome.is_delivered() {
        return Ok(Some(recipient.clone()));
    }
    let endpoint = &recipient.endpoint;
    let now = deliverer.store.recipient(deliverer.op(budget), &endpoint.owner, &endpoint.endpoint_id).await?;
    Ok(now.filter(|now| now.period() == recipient.period()))
}

/// Stores the verdict. What it means for the endpoint is stored only if the delivery was not restarted or released meanwhile:
/// then another attempt decides. A challenge activates its endpoint first, because it is not sent again.
async fn store(
    deliverer: &Deliverer,
    budget: RunBudget,
    endpoint: &Endpoint,
    delivery: &Delivery,
    verdict: &Verdict,
) -> Result<Next, DeliveryError> {
    if verdict.settled.state == DeliveryState::Delivered && delivery.purpose == DeliveryPurpose::Challenge {
        activate(deliverer, budget, endpoint).await?;
    }
    let op = deliverer.op(budget);
    if !deliverer.store.settle(op, delivery, &verdict.settled).await? {
        return Ok(Next::Finished);
    }
    if let Some(reason) = verdict.disable {
        disable(deliverer, budget, endpoint, reason).await?;
    }
    note_health(deliverer, budget, endpoint, verdict.health).await;
    Ok(match verdict.settled.next_at {
        Some(due) => Next::after(until(due, op.occurred_at).unwrap_or_default()),
        None => Next::Finished,
    })
}

/// If this fails, the next attempt notes the health.
async fn note_health(deliverer: &Deliverer, budget: RunBudget, endpoint: &Endpoint, health: Health) {
    if let Err(error) = deliverer.store.note_health(deliverer.op(budget), endpoint, health).await {
        tracing::warn!(%error, endpoint_id = %endpoint.endpoint_id, "the health of an endpoint could not be stored");
    }
}

/// The secrets that messages are signed with now, newest first.
fn live_secrets(deliverer: &Deliverer, endpoint: &Endpoint) -> Result<Vec<SigningSecret>, UnknownMasterKey> {
    let secret =
        |live: &SecretVersion| deliverer.keys.endpoint_secret(live.key_number, &endpoint.endpoint_id, live.version);
    endpoint.live_secrets(deliverer.clock.now()).map(secret).collect()
}

/// Sends the message, signed with every live secret.
async fn send(
    deliverer: &Deliverer,
    secrets: &[SigningSecret],
    endpoint: &Endpoint,
    delivery: &Delivery,
    message: &[u8],
) -> Attempted {
    let Ok(url) = EndpointUrl::parse(&endpoint.url, deliverer.loopback) else {
        return Attempted { outcome: Outcome::Failed(Failure::Forbidden), latency: Duration::ZERO };
    };
    let (id, timestamp) = (delivery.webhook_id.as_str(), deliverer.clock.now().seconds());
    let signatures: Vec<String> = secrets.iter().map(|secret| sign(secret, id, timestamp, message)).collect();
    deliverer.sender.send(&url, &Message { id, timestamp, signature: signatures.join(" "), body: message }).await
}

/// Logs ids and the outcome, but nothing that the receiver sent.
fn log(delivery: &Delivery, verdict: &Verdict) {
    let last = verdict.settled.last.as_ref();
    let (status, failure) = (last.and_then(|last| last.status), last.and_then(|last| last.failure.as_deref()));
    let (webhook_id, endpoint_id, attempt) = (&delivery.webhook_id, &delivery.endpoint_id, delivery.attempt);
    let state = verdict.settled.state;
    tracing::info!(%webhook_id, %endpoint_id, attempt, status, failure, %state, "attempt");
    if state == DeliveryState::Pending && attempt == WARN_AFTER {
        tracing::warn!(%webhook_id, %endpoint_id, attempt, left = ATTEMPTS - attempt, "a delivery keeps failing");
    }
}
