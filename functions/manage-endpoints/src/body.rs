//! The bodies of endpoints, and which URLs are permitted.

use std::time::Duration;

use domain::{EndpointState, EventType};
use platform::handler::Context;
use platform::http_api::body::{Body, Patch, Reader, Rules};
use platform::http_api::shape::{self, AnyText, OneOf, SetOf};
use platform::http_api::{Code, Problem};
use platform::outbound::{EndpointUrl, is_public};

/// A host name that is not resolved within this time is checked by the challenge.
const LOOKUP_TIMEOUT: Duration = Duration::from_millis(1_500);

fn event_types() -> SetOf<OneOf<'static, EventType>> {
    SetOf { each: OneOf { all: EventType::ALL, as_str: EventType::as_str }, least: 1, most: EventType::ALL.len() }
}

/// `{url, event_types?, description?}`
pub(crate) struct EndpointBody {
    pub(crate) url: String,
    pub(crate) event_types: Option<Vec<EventType>>,
    pub(crate) description: Option<String>,
}

impl Body for EndpointBody {
    const NAME: &'static str = "EndpointRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let url = reader.required("url", AnyText);
        let event_types = reader.optional("event_types", event_types());
        let description = reader.optional("description", shape::line(rules.policy.limits.message_characters));
        Some(Self { url: url?, event_types, description })
    }
}

/// `{url?, event_types?, description?, state?: "active" | "disabled"}`. `event_types: null` removes the filter.
pub(crate) struct EndpointPatch {
    pub(crate) url: Option<String>,
    pub(crate) event_types: Patch<Vec<EventType>>,
    pub(crate) description: Patch<String>,
    pub(crate) state: Option<EndpointState>,
}

impl EndpointPatch {
    /// Whether it disables the endpoint and does nothing else.
    pub(crate) fn only_disables(&self) -> bool {
        let keeps_rest = self.url.is_none() && self.event_types == Patch::Keep && self.description == Patch::Keep;
        keeps_rest && self.state == Some(EndpointState::Disabled)
    }
}

impl Body for EndpointPatch {
    const NAME: &'static str = "EndpointChange";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        const STATES: &[EndpointState] = &[EndpointState::Active, EndpointState::Disabled];
        let url = reader.optional("url", AnyText);
        let event_types = reader.patch("event_types", event_types());
        let description = reader.patch("description", shape::line(rules.policy.limits.message_characters));
        let state = reader.optional("state", OneOf { all: STATES, as_str: EndpointState::as_str });
        Some(Self { url, event_types, description, state })
    }
}

/// Checks that messages may be sent to a URL. The host name is resolved again before every connection; the check here only
/// saves the owner from waiting for a challenge that is never sent.
///
/// # Errors
/// 422 `endpoint_url_forbidden`.
pub(crate) async fn permitted_url(context: &Context, text: &str) -> Result<EndpointUrl, Problem> {
    let forbidden = |detail: &str| Problem::new(Code::EndpointUrlForbidden, detail.to_owned());
    let rules = &context.app.endpoints;
    let url = EndpointUrl::parse(text, rules.loopback).map_err(|fault| forbidden(fault.detail()))?;
    if url.is_loopback() {
        return Ok(url);
    }
    let resolving = rules.resolver.resolve(url.host(), url.port());
    if let Ok(Ok(addresses)) = tokio::time::timeout(LOOKUP_TIMEOUT, resolving).await
        && !addresses.is_empty()
        && !addresses.into_iter().any(is_public)
    {
        return Err(forbidden("The host name does not resolve to a public address."));
    }
    Ok(url)
}
