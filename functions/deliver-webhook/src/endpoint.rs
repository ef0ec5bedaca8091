//! What an attempt does to its endpoint: the first answer to a challenge activates it; who asks for it, or fails for too
//! long, is disabled.

use domain::{Actor, Endpoint, EndpointState, Event, EventType, Occurrence};
use platform::handler::App;
use platform::lambda::RunBudget;
use platform::store::{EndpointChange, Step, StoreError, retry_on_change};
use serde_json::json;

use crate::text;

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// It is done, or there was nothing to do.
    Done,
    /// The endpoint is elsewhere by now: what an attempt showed says nothing of it.
    Elsewhere,
}

/// Makes a pending endpoint active.
pub(crate) async fn activate(app: &App, time: RunBudget, endpoint: &Endpoint) -> Result<Changed, String> {
    change(app, time, endpoint, |now| {
        let after = Endpoint { state: EndpointState::Active, failing_since: None, ..now.clone() };
        (now.state == EndpointState::Pending).then_some((after, EventType::EndpointActivated, None))
    })
    .await
}

/// Stops sending to an endpoint, as long as the reason holds.
pub(crate) async fn disable(
    app: &App,
    time: RunBudget,
    endpoint: &Endpoint,
    reason: Reason,
) -> Result<Changed, String> {
    change(app, time, endpoint, |now| {
        let holds = match reason {
            Reason::ChallengeFailed => now.state == EndpointState::Pending,
            Reason::Failing => now.state == EndpointState::Active && now.failing_since == endpoint.failing_since,
            Reason::Gone | Reason::AskedByReceiver => {
                matches!(now.state, EndpointState::Pending | EndpointState::Active)
            }
        };
        let after = Endpoint { state: EndpointState::Disabled, ..now.clone() };
        holds.then_some((after, EventType::EndpointDisabled, Some(reason)))
    })
    .await
}

/// Why an endpoint is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It answered 410.
    Gone,
    /// It answered `webhook-delivery: disable`.
    AskedByReceiver,
    /// Every attempt failed for five days.
    Failing,
    /// It never answered its challenge.
    ChallengeFailed,
}

impl Reason {
    /// The word in the event.
    fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::AskedByReceiver => "asked_by_receiver",
            Self::Failing => "failing",
            Self::ChallengeFailed => "challenge_failed",
        }
    }
}

async fn change(
    app: &App,
    time: RunBudget,
    endpoint: &Endpoint,
    make: impl Fn(&Endpoint) -> Option<(Endpoint, EventType, Option<Reason>)>,
) -> Result<Changed, String> {
    let changed = retry_on_change(|| async {
        let attempt = time.op(app);
        let found = app.store.endpoint(attempt, &endpoint.owner, &endpoint.endpoint_id).await?;
        let Some(before) = found else { return Ok(Step::Done(Changed::Done)) };
        if before.url != endpoint.url {
            return Ok(Step::Done(Changed::Elsewhere));
        }
        let Some((after, event_type, reason)) = make(&before) else { return Ok(Step::Done(Changed::Done)) };
        let actor = Actor::system(crate::NAME);
        let policy_version = app.policy.at(attempt.occurred_at).version;
        let occurrence = Occurrence { at: attempt.occurred_at, actor: &actor, policy_version };
        let mut event: Event = before.event(event_type, occurrence, [("state", json!(after.state))]);
        if let Some(reason) = reason {
            event.data.insert("reason".into(), json!(reason.as_str()));
        }
        Ok(match app.store.change_endpoint(attempt, &before, &after, &event).await? {
            EndpointChange::Done => Step::Done(Changed::Done),
            EndpointChange::Changed | EndpointChange::UrlTaken => Step::Changed,
        })
    });
    changed.await.map_err(|error: StoreError| text(error))
}
