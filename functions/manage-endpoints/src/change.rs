//! Changing an endpoint: its URL, filter, description and state, its secret, and deleting it.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::{ActorKind, Endpoint, EndpointState, Event, EventType, Timestamp};
use platform::handler::views::{EndpointResponse, SigningSecretView};
use platform::handler::{
    Context, Found, Json, NoMembers, OptionalIdempotencyKey, Owning, Replayable, Rotation, RotationBody,
};
use platform::http_api::{Code, Problem};
use platform::store::{EndpointChange, Step, retry_on_change};
use serde_json::{Map, Value, json};

use crate::body::{EndpointPatch, permitted_url};
use crate::create::{problem_url_taken, secret_text};
use crate::owner::{Action, check_live};

/// What a change asks for; `None` leaves a member as it is.
struct Update {
    url: Option<String>,
    event_types: Option<Option<Vec<EventType>>>,
    description: Option<Option<String>>,
    state: Option<EndpointState>,
}

impl Update {
    /// The endpoint after the update, and the members that differ. A new URL and a reactivated endpoint must answer a
    /// challenge first. A pending endpoint that waits for its owner is challenged again, also by an update that only repeats
    /// its URL or `active`.
    fn apply(&self, before: &Endpoint, now: Timestamp) -> (Endpoint, Map<String, Value>) {
        let mut after = before.clone();
        let mut changed = Map::new();
        if let Some(url) = self.url.as_ref().filter(|url| **url != before.url) {
            after.url.clone_from(url);
            changed.insert("url".into(), json!(url));
        }
        if let Some(types) = self.event_types.as_ref().filter(|types| **types != before.event_types) {
            after.event_types.clone_from(types);
            changed.insert("event_types".into(), json!(types));
        }
        if let Some(description) = self.description.as_ref().filter(|text| **text != before.description) {
            after.description.clone_from(description);
            changed.insert("description".into(), json!(description));
        }
        let is_moved = after.url != before.url;
        after.state = state_after(before.state, self.state, is_moved);
        let asks_again = (self.url.is_some() || self.state.is_some()) && before.waits_for_owner(now);
        let is_new = is_moved || asks_again || before.state != EndpointState::Pending;
        if after.state == EndpointState::Pending && is_new {
            after = after.pending_from(now);
        }
        if is_challenged(before, &after) || after.state != before.state {
            changed.insert("state".into(), json!(after.state));
        }
        (after, changed)
    }
}

/// Whether a change of an endpoint causes a challenge.
fn is_challenged(before: &Endpoint, after: &Endpoint) -> bool {
    after.period != before.period
}

/// The URL of a disabled endpoint may change while the endpoint stays disabled.
fn state_after(before: EndpointState, asked: Option<EndpointState>, is_moved: bool) -> EndpointState {
    match (asked, before) {
        (Some(EndpointState::Disabled), _) | (None, EndpointState::Disabled) => EndpointState::Disabled,
        (Some(_), EndpointState::Disabled) => EndpointState::Pending,
        _ if is_moved => EndpointState::Pending,
        (_, state) => state,
    }
}

/// An operator can only disable an endpoint.
pub(crate) async fn update<C: Owning>(
    context: Context,
    caller: C,
    Json(patch): Json<EndpointPatch>,
) -> Result<Found<EndpointResponse>, Problem> {
    let action = Action::new(context, caller);
    if action.actor.kind == ActorKind::Operator && !patch.only_disables() {
        let detail = "An operator can only disable an endpoint: send {\"state\": \"disabled\"}.";
        return Err(Problem::new(Code::RoleNotPermitted, detail));
    }
    let url = match &patch.url {
        Some(url) => Some(permitted_url(&action.context, url).await?.as_str().to_owned()),
        None => None,
    };
    let (event_types, description) = (patch.event_types.change(), patch.description.change());
    let update = Update { url, event_types, description, state: patch.state };
    let endpoint = change(&action, |before| {
        check_live(before)?;
        let (after, changed) = update.apply(before, action.context.now());
        let event = |data| Event { data, ..before.event(EventType::EndpointUpdated, action.occurrence(), []) };
        Ok((!changed.is_empty()).then(|| (after, event(changed))))
    })
    .await?;
    Ok(Found(EndpointResponse::new(&endpoint)))
}

/// Until the old secret ends, messages are signed with both. With `grace_hours` 0 every older secret ends now. A repeat with the
/// same idempotency key returns the same secret.
pub(crate) async fn rotate<C: Owning>(
    context: Context,
    caller: C,
    (OptionalIdempotencyKey(key), Json(body)): (OptionalIdempotencyKey, Json<RotationBody>),
) -> Result<Replayable<SigningSecretView>, Problem> {
    let action = Action::new(context, caller);
    let rotation = Rotation::new(&action.context, &body, key.as_deref())?;
    let is_replay = AtomicBool::new(false);
    let endpoint = change(&action, |before| {
        check_live(before)?;
        let secrets = rotation.rotate(&before.secrets)?;
        is_replay.store(secrets.is_none(), Ordering::Relaxed);
        let data = [("old_secret_ends_at", json!(rotation.old_ends_at()))];
        let event = before.event(EventType::EndpointUpdated, action.occurrence(), data);
        Ok(secrets.map(|secrets| (Endpoint { secrets, ..before.clone() }, event)))
    })
    .await?;
    let signing_secret = secret_text(&action.context, &endpoint, &rotation.made(&endpoint.secrets)?)?;
    Ok(Replayable::new(SigningSecretView { signing_secret }, is_replay.into_inner()))
}

/// Repeating the request returns the same endpoint.
pub(crate) async fn delete<C: Owning>(
    context: Context,
    caller: C,
    _: NoMembers,
) -> Result<Found<EndpointResponse>, Problem> {
    let action = Action::new(context, caller);
    let endpoint = change(&action, |before| {
        if before.state == EndpointState::Deleted {
            return Ok(None);
        }
        let after = Endpoint { state: EndpointState::Deleted, ..before.clone() };
        let event = before.event(EventType::EndpointDeleted, action.occurrence(), [("url", json!(before.url))]);
        Ok(Some((after, event)))
    })
    .await?;
    Ok(Found(EndpointResponse::new(&endpoint)))
}

/// Changes the endpoint in the path to what `make` returns, unless it returns nothing: then the endpoint is like that
/// already. A change that causes a challenge counts toward the owner's limit.
async fn change(
    action: &Action,
    make: impl Fn(&Endpoint) -> Result<Option<(Endpoint, Event)>, Problem> + Sync,
) -> Result<Endpoint, Problem> {
    let (context, make) = (&action.context, &make);
    retry_on_change(|| async {
        let before = action.endpoint().await?;
        let Some((after, event)) = make(&before)? else { return Ok(Step::Done(before)) };
        let challenge = if is_challenged(&before, &after) { Some(action.another_challenge().await?) } else { None };
        let store = &context.app.store;
        match store.change_endpoint(context.op(), &before, &after, &event, challenge.as_ref()).await? {
            EndpointChange::Done => Ok(Step::Done(after)),
            EndpointChange::UrlTaken => Err(problem_url_taken()),
            EndpointChange::Changed => Ok(Step::Changed),
        }
    })
    .await
}
