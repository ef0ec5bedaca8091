//! What came of one attempt.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use http::response::Parts;

use super::schedule::RetryAfter;
use domain::text::is_forbidden;

/// The most bytes of a body that are shown.
const MAX_EXCERPT: usize = 1024;

/// One attempt: what came of it, and how long it took from the look-up of the name to the end of reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub latency: Duration,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The head of an answer arrived in time and in form. Its status decides, whatever became of the body.
    Answered(Reply),
    /// No answer.
    Failed(Failure),
}

impl Outcome {
    /// Whether the message is delivered: answered with 2xx, and nothing else.
    pub fn is_delivered(&self) -> bool {
        matches!(self, Self::Answered(reply) if (200..300).contains(&reply.status))
    }
}

/// An endpoint's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status, 100 to 999. A redirect is an answer like any other.
    pub status: u16,
    /// The header `retry-after`; `None` if it is absent, given twice or not of its form.
    pub retry_after: Option<RetryAfter>,
    /// The header `webhook-delivery`; `None` if it is absent, given twice or unknown.
    pub delivery: Option<DeliveryWish>,
    /// The first KiB of the body as far as it arrived, to be shown: what is no UTF-8, and what [`paragraph`] would not
    /// take, became U+FFFD, so that it may have three KiB.
    ///
    /// [`paragraph`]: domain::text::paragraph
    pub excerpt: String,
}

impl Reply {
    /// Reads an answer's head, and the body as far as it arrived.
    pub(super) fn read(head: &Parts, body: &[u8]) -> Self {
        Self {
            status: head.status.as_u16(),
            retry_after: single(&head.headers, RETRY_AFTER.as_str()).and_then(RetryAfter::parse),
            delivery: single(&head.headers, "webhook-delivery").and_then(DeliveryWish::parse),
            excerpt: excerpt(body),
        }
    }
}

/// A header that means nothing when it is given twice.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}

fn excerpt(body: &[u8]) -> String {
    let shown = body.get(..MAX_EXCERPT).unwrap_or(body);
    let text = String::from_utf8_lossy(shown).replace("\r\n", "\n");
    // Where the cut went through a character, half of it is left.
    let text = if shown.len() < body.len() { text.trim_end_matches('\u{FFFD}') } else { &text };
    text.chars().map(|c| if is_forbidden(c) && !matches!(c, '\n' | '\t') { '\u{FFFD}' } else { c }).collect()
}

/// What an endpoint asks for with the header `webhook-delivery`, as Svix reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryWish {
    /// `disable`: send nothing any more.
    Disable,
    /// `abort-message`: don't send this message again.
    AbortMessage,
}

impl DeliveryWish {
    /// Reads the header, in either case.
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

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was connected to: the URL is for tests only, or every address of the name is refused.
    Forbidden,
    /// The name has no addresses, or nobody could say.
    Dns,
    /// No address took the connection.
    Connect,
    /// No address showed a certificate for the name that leads to a known root, over TLS 1.2 or later.
    Tls,
    /// The time was over before the head of an answer was there.
    Timeout,
    /// What came was no HTTP/1 answer, its head was too large, or the connection ended before the head did. Also what
    /// comes of a message whose id or signature can't stand in a header, which is never sent.
    Protocol,
}

impl Failure {
    /// The name that logs and the delivery log use.
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
