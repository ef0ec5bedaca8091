//! The members of an endpoint in requests.

use std::time::Duration;

use domain::{EventType, text};
use platform::handler::App;
use platform::http_api::fields::{self, InvalidField};
use platform::http_api::{Code, Problem, Request};
use platform::outbound::{EndpointUrl, is_public};
use serde_json::Value;

/// A name that nobody resolves in this time is left to the challenge.
const LOOK_UP: Duration = Duration::from_millis(1_500);

/// An array of at least one event type.
pub(crate) fn event_types(value: Value) -> Result<Vec<EventType>, InvalidField> {
    let types = fields::set(EventType::parse, EventType::ALL.len(), "one of these is not an event type")(value)?;
    if types.is_empty() {
        Err(InvalidField::range("at least one event type is expected; leave it out for all"))
    } else {
        Ok(types)
    }
}

/// A description.
pub(crate) fn description(app: &App, request: &Request) -> impl FnOnce(Value) -> Result<String, InvalidField> + use<> {
    let longest = app.policy_for(request).limits.message_characters;
    fields::checked(move |value| text::line(value, longest))
}

/// An address that messages may be sent to. What its name leads to is looked at again before every connection; here it only
/// saves its owner from waiting for a challenge that is never sent.
///
/// # Errors
/// 422 `endpoint_url_forbidden`.
pub(crate) async fn permitted(app: &App, text: &str) -> Result<EndpointUrl, Problem> {
    let forbidden = |detail: &str| Problem::new(Code::EndpointUrlForbidden, detail.to_owned());
    let url = EndpointUrl::parse(text, app.endpoints.loopback).map_err(|fault| forbidden(fault.detail()))?;
    if url.is_loopback() {
        return Ok(url);
    }
    let resolving = app.endpoints.resolver.resolve(url.host(), url.port());
    if let Ok(Ok(addresses)) = tokio::time::timeout(LOOK_UP, resolving).await
        && !addresses.is_empty()
        && !addresses.into_iter().any(is_public)
    {
        return Err(forbidden("The host's name leads to no public address."));
    }
    Ok(url)
}
