//! How attempts change their endpoint. The first delivered challenge activates it. It is disabled if the receiver asks for
//! that or if deliveries fail for too long.

use domain::{Actor, Endpoint, EndpointState, Event, EventType, Occurrence};
use platform::lambda::RunBudget;
use platform::store::{EndpointChange, OpContext, Step, StoreError, retry_on_change};
use serde_json::json;

use crate::deliverer::{Deliverer, NAME};

/// Why an endpoint is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The receiver answered 410.
    Gone,
    /// The receiver answered `webhook-delivery: disable`.
    AskedByReceiver,
    /// Every attempt failed for five days.
    Failing,
}

impl Reason {
    /// The value of `reason` in the event.
    fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::AskedByReceiver => "asked_by_receiver",
            Self::Failing => "failing",
        }
    }

    /// Whether the reason still applies to an endpoint that was `before` when the attempt was made, and is `now`.
    fn applies(self, before: &Endpoint, now: &Endpoint) -> bool {
        match self {
            Self::Failing => {
                let since = |endpoint: &Endpoint| endpoint.failing.map(|failing| failing.since);
                now.state == EndpointState::Active && since(now) == since(before)
            }
            Self::Gone | Self::AskedByReceiver => matches!(now.state, EndpointState::Pending | EndpointState::Active),
        }
    }
}

/// An endpoint after a change, and what its event says.
struct Change {
    after: Endpoint,
    event_type: EventType,
    reason: Option<Reason>,
}

impl Change {
    fn event(&self, before: &Endpoint, occurrence: Occurrence<'_>) -> Event {
        let mut event = before.event(self.event_type, occurrence, [("state", json!(self.after.state))]);
        if let Some(reason) = self.reason {
            event.data.insert("reason".into(), json!(reason.as_str()));
        }
        event
    }
}

/// Makes a pending endpoint active.
pub(crate) async fn activate(deliverer: &Deliverer, budget: RunBudget, endpoint: &Endpoint) -> Result<(), StoreError> {
    change(deliverer, budget, endpoint, |now| {
        let after = Endpoint { state: EndpointState::Active, failing: None, ..now.clone() };
        let change = Change { after, event_type: EventType::EndpointActivated, reason: None };
        (now.state == EndpointState::Pending).then_some(change)
    })
    .await
}

/// Disables an endpoint if the reason still applies to it.
pub(crate) async fn disable(
    deliverer: &Deliverer,
    budget: RunBudget,
    endpoint: &Endpoint,
    reason: Reason,
) -> Result<(), StoreError> {
    change(deliverer, budget, endpoint, |now| {
        let after = Endpoint { state: EndpointState::Disabled, ..now.clone() };
        let change = Change { after, event_type: EventType::EndpointDisabled, reason: Some(reason) };
        reason.applies(endpoint, now).then_some(change)
    })
    .await
}

/// Reads the endpoint, and stores what `decide` makes of it, unless it became pending since the attempt began: then the attempt
/// says nothing about it. Repeats this if another write came first.
async fn change(
    deliverer: &Deliverer,
    budget: RunBudget,
    endpoint: &Endpoint,
    decide: impl Fn(&Endpoint) -> Option<Change>,
) -> Result<(), StoreError> {
    retry_on_change(|| async {
        let op = deliverer.op(budget);
        let found = deliverer.store.endpoint(op, &endpoint.owner, &endpoint.endpoint_id).await?;
        let Some(before) = found.filter(|now| now.period == endpoint.period) else { return Ok(Step::Done(())) };
        let Some(change) = decide(&before) else { return Ok(Step::Done(())) };
        match store(deliverer, op, &before, &change).await? {
            EndpointChange::Done => Ok(Step::Done(())),
            EndpointChange::Changed | EndpointChange::UrlTaken => Ok(Step::Changed),
        }
    })
    .await
}

async fn store(
    deliverer: &Deliverer,
    op: OpContext,
    before: &Endpoint,
    change: &Change,
) -> Result<EndpointChange, StoreError> {
    let actor = Actor::system(NAME);
    let policy_version = deliverer.policy_for(op).version;
    let event = change.event(before, Occurrence { at: op.occurred_at, actor: &actor, policy_version });
    deliverer.store.change_endpoint(op, before, &change.after, &event, None).await
}
