//! Changing an endpoint: what it hears of, where it is, whether it is on, its secret, its end.

use domain::{Endpoint, EndpointState, Event, EventType, Timestamp};
use platform::handler::App;
use platform::handler::Rotation;
use platform::handler::views::{EndpointView, SigningSecretView};
use platform::http_api::fields::{self, Fields, InvalidField};
use platform::http_api::{Problem, Request, Response};
use platform::store::{EndpointChange, StoreError, TRIES};
use serde_json::{Map, Value, json};

use crate::body;
use crate::create::{current_secret, url_taken};
use crate::owner::{Act, live};

/// What a `PATCH` asks for; `None` leaves a member as it is.
struct Update {
    url: Option<String>,
    event_types: Option<Option<Vec<EventType>>>,
    description: Option<Option<String>>,
    state: Option<EndpointState>,
}

impl Update {
    /// `{url?, event_types?, description?, state?: "active" | "disabled"}`; a null filter is none.
    fn read(act: &Act<'_>) -> Result<Self, Problem> {
        let mut fields = Fields::of_body(act.request)?;
        let url = fields.optional("url", fields::any_text);
        let no_types = fields.take_null("event_types");
        let event_types = fields.optional("event_types", body::event_types);
        let no_description = fields.take_null("description");
        let description = fields.optional("description", body::description(act.app, act.request));
        let state = fields.optional("state", asked_state);
        fields.finish(Some(Self {
            url,
            event_types: if no_types { Some(None) } else { event_types.map(Some) },
            description: if no_description { Some(None) } else { description.map(Some) },
            state,
        }))
    }

    /// The endpoint after the update, and the members that differ. Another address, and one that was switched off, have to
    /// answer a challenge first.
    fn of(&self, before: &Endpoint, now: Timestamp) -> (Endpoint, Map<String, Value>) {
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
        let moved = after.url != before.url;
        after.state = match (self.state, before.state) {
            // An address may change while nothing is sent there; it stays switched off.
            (Some(EndpointState::Disabled), _) | (None, EndpointState::Disabled) => EndpointState::Disabled,
            (Some(_), EndpointState::Disabled) => EndpointState::Pending,
            _ if moved => EndpointState::Pending,
            (_, state) => state,
        };
        let is_challenged = after.state == EndpointState::Pending && (moved || before.state != EndpointState::Pending);
        if is_challenged {
            after.pending_since = now;
            after.failing_since = None;
        }
        if is_challenged || after.state != before.state {
            changed.insert("state".into(), json!(after.state));
        }
        (after, changed)
    }
}

fn asked_state(value: Value) -> Result<EndpointState, InvalidField> {
    match value.as_str() {
        Some("active") => Ok(EndpointState::Active),
        Some("disabled") => Ok(EndpointState::Disabled),
        _ => Err(InvalidField::value("active or disabled is expected")),
    }
}

pub(crate) async fn update(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    let mut update = Update::read(&act)?;
    if let Some(url) = update.url.take() {
        update.url = Some(body::permitted(app, &url).await?.as_str().to_owned());
    }
    let endpoint = change(&act, |act, before| {
        let (after, changed) = update.of(live(before)?, request.now);
        let event =
            || Event { data: changed.clone(), ..before.event(EventType::EndpointUpdated, act.occurrence(), []) };
        Ok((!changed.is_empty()).then(|| (after, event())))
    })
    .await?;
    Response::json(200, &json!({"endpoint": EndpointView::new(&endpoint)}))
}

/// Makes a new signing secret; until the old one ends, messages are signed with both.
pub(crate) async fn rotate(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    let rotation = Rotation::read(app, request)?;
    let endpoint = change(&act, |act, before| {
        let after = Endpoint { secrets: rotation.of(&live(before)?.secrets)?, ..before.clone() };
        let data = [("old_secret_ends_at", json!(rotation.ends_at))];
        Ok(Some((after, before.event(EventType::EndpointUpdated, act.occurrence(), data))))
    })
    .await?;
    Response::json(200, &SigningSecretView { signing_secret: current_secret(app, &endpoint)? })
}

/// Removes an endpoint; a repeat answers the same.
pub(crate) async fn delete(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    Fields::of_optional_body(request)?.finish(Some(()))?;
    let endpoint = change(&act, |act, before| {
        if before.state == EndpointState::Deleted {
            return Ok(None);
        }
        let after = Endpoint { state: EndpointState::Deleted, ..before.clone() };
        let event = before.event(EventType::EndpointDeleted, act.occurrence(), [("url", json!(before.url))]);
        Ok(Some((after, event)))
    })
    .await?;
    Response::json(200, &json!({"endpoint": EndpointView::new(&endpoint)}))
}

/// Changes the endpoint of the path, deleted or not, to what `make` makes of it, unless it makes nothing: then it is that
/// already.
async fn change(
    act: &Act<'_>,
    make: impl Fn(&Act<'_>, &Endpoint) -> Result<Option<(Endpoint, Event)>, Problem>,
) -> Result<Endpoint, Problem> {
    for _ in 0..TRIES {
        let before = act.endpoint().await?;
        let Some((after, event)) = make(act, &before)? else { return Ok(before) };
        match act.app.store.change_endpoint(act.request.op(), &before, &after, &event).await? {
            EndpointChange::Done => return Ok(after),
            EndpointChange::UrlTaken => return Err(url_taken()),
            EndpointChange::Changed => {}
        }
    }
    Err(StoreError::Contention.into())
}
