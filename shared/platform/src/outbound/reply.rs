//! The result of one attempt.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use http::response::Parts;
use tokio::time::error::Elapsed;

use super::retry_after::RetryAfter;
use domain::text::is_forbidden;

/// The maximum number of bytes of a body that are shown.
const MAX_EXCERPT: usize = 1024;

/// The result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    pub outcome: Outcome,
    /// The time from resolving the name to the end of reading.
    pub latency: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The head of a response arrived in time and is well-formed. Its status decides, no matter how the body ended.
    Answered(Reply),
    /// There was no response.
    Failed(Failure),
}

impl Outcome {
    /// Whether the message is delivered: only a 2xx response counts.
    pub fn is_delivered(&self) -> bool {
        matches!(self, Self::Answered(reply) if (200..300).contains(&reply.status))
    }
}

/// An endpoint's response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 100 to 999.
    pub status: u16,
    /// The header `retry-after`; `None` if it is absent, repeated or malformed.
    pub retry_after: Option<RetryAfter>,
    /// The header `webhook-delivery`; `None` if it is absent, repeated or unknown.
    pub delivery: Option<DeliveryWish>,
    /// The first KiB of the body, as far as it arrived. Invalid UTF-8 and forbidden characters are replaced with U+FFFD, so
    /// it has up to three KiB.
    pub excerpt: String,
}

impl Reply {
    /// `body` is the part that arrived.
    pub(super) fn read(head: &Parts, body: &[u8]) -> Self {
        Self {
            status: head.status.as_u16(),
            retry_after: single(&head.headers, RETRY_AFTER.as_str()).and_then(RetryAfter::parse),
            delivery: single(&head.headers, "webhook-delivery").and_then(DeliveryWish::parse),
            excerpt: excerpt(body),
        }
    }
}

/// A header that is ignored if it is repeated.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}

fn excerpt(body: &[u8]) -> String {
    let shown = body.get(..MAX_EXCERPT).unwrap_or(body);
    let text = String::from_utf8_lossy(shown).replace("\r\n", "\n");
    // The cut may have split a character.
    let text = if shown.len() < body.len() { text.trim_end_matches('\u{FFFD}') } else { &text };
    text.chars().map(|c| if is_forbidden(c) && !matches!(c, '\n' | '\t') { '\u{FFFD}' } else { c }).collect()
}

/// What an endpoint asks for with the header `webhook-delivery`, as defined by Svix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryWish {
    /// `disable`: disable the endpoint.
    Disable,
    /// `abort-message`: do not send this message again.
    AbortMessage,
}

impl DeliveryWish {
    /// Case-insensitive.
    pub fn parse(text: &str) -> Option<Self> {
        let is = |name| text.eq_ignore_ascii_case(name);
        if is("disable") {
            Some(Self::Disable)
        } else if is("abort-message") {
            Some(Self::AbortMessage)
        } else {
            None
        }
    }
}

/// Why there was no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection was attempted: the URL is only for tests, or every address of the name is refused.
    Forbidden,
    /// The name has no addresses, or could not be resolved.
    Dns,
    /// No address accepted the connection.
    Connect,
    /// No address presented a certificate for the name with a known root, over TLS 1.2 or later.
    Tls,
    /// The head of the response did not arrive in time.
    Timeout,
    /// The response was not HTTP/1, its head was too large, or the connection ended before it. Also a message that was not
    /// sent because its id or signature cannot be a header.
    Protocol,
}

impl From<Elapsed> for Failure {
    fn from(_: Elapsed) -> Self {
        Self::Timeout
    }
}

impl Failure {
    /// The name in logs and in the delivery log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
        }
    }
}
