//! A request out of a gateway event (API Gateway payload format 2.0), with the limits every route shares.

use std::fmt;
use std::sync::OnceLock;

use data_encoding::BASE64;

use super::event::Event;
use super::response::JSON;
use super::{Code, Problem};
use crate::deadline::Deadline;
use domain::Timestamp;

/// The largest body of most routes, in bytes after decoding.
pub const MAX_BODY: usize = 64 * 1024;

/// One request. Nothing of its body is decoded until [`Request::body`] is called.
pub struct Request {
    event: Event,
    body: OnceLock<Vec<u8>>,
    /// The gateway's request id, or the invocation's.
    pub id: String,
    /// The time of the request; one value for everything it decides.
    pub now: Timestamp,
    /// When to give up.
    pub deadline: Deadline,
}

/// Keys, signatures and tokens are in headers and body, so neither shows.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("id", &self.id).field("route", &self.route_key()).finish_non_exhaustive()
    }
}

impl Request {
    /// Reads an event.
    ///
    /// # Errors
    /// 400 `event_malformed` when it is not an HTTP API event of payload format 2.0 from the stage `$default`: a named
    /// stage would be part of every link.
    pub fn parse(payload: &[u8], invocation_id: &str, now: Timestamp, deadline: Deadline) -> Result<Self, Problem> {
        let malformed = || {
            Problem::new(
                Code::EventMalformed,
                "The event is not an HTTP API event of payload format 2.0 from the stage `$default`. Call the API through its gateway.",
            )
        };
        let event: Event = serde_json::from_slice(payload).map_err(|_| malformed())?;
        if event.version != "2.0" || event.request_context.stage != "$default" {
            return Err(malformed());
        }
        let id = event.request_context.request_id.clone().filter(|id| is_request_id(id));
        let id = id.unwrap_or_else(|| invocation_id.to_owned());
        Ok(Self { event, body: OnceLock::new(), id, now, deadline })
    }

    /// `METHOD /path/{parameter}` as the template writes it.
    pub fn route_key(&self) -> &str {
        &self.event.route_key
    }

    /// The HTTP method.
    pub fn method(&self) -> &str {
        &self.event.request_context.http.method
    }

    /// A path parameter, percent-decoded by the gateway; empty if the route has none of this name. Handlers read ids with
    /// their types; this is for callers.
    pub fn path(&self, name: &str) -> &str {
        self.event.path_parameters.as_ref().and_then(|all| all.get(name)).map_or("", String::as_str)
    }

    /// The host the gateway was reached by, as the gateway says, never the `Host` header.
    pub fn gateway_host(&self) -> Option<&str> {
        self.event.request_context.domain_name.as_deref().filter(|host| !host.is_empty())
    }

    /// A header's value; the last one if the event has it several times.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.event.headers.values.get(name).map(String::as_str)
    }

    /// The value of a header that may occur only once.
    ///
    /// # Errors
    /// 400 `header_repeated` when the event has it twice (in different letter case).
    pub fn single_header(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        if self.event.headers.repeated.contains(name) {
            return Err(Problem::new(Code::HeaderRepeated, format!("The header `{name}` occurs twice. Send it once.")));
        }
        Ok(self.header(name))
    }

    /// Name and value of each cookie. Malformed ones are left out. The gateway lists cookies by themselves; `sam local` also
    /// keeps the header.
    pub fn cookies(&self) -> Vec<(&str, &str)> {
        let listed = self.event.cookies.as_array().filter(|cookies| !cookies.is_empty());
        let cookies: Vec<&str> = match listed {
            Some(cookies) => cookies.iter().filter_map(serde_json::Value::as_str).collect(),
            None => self.header("cookie").unwrap_or_default().split(';').collect(),
        };
        let pairs = cookies.into_iter().filter_map(|cookie| cookie.split_once('='));
        pairs.map(|(name, value)| (name.trim(), value.trim())).collect()
    }

    /// The value of a cookie. One that occurs twice counts as absent: a sibling domain may have set the other one.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut values = self.cookies().into_iter().filter(|(known, _)| *known == name).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none())
    }

    /// Refuses a caller that says it takes no answer of this media type (RFC 9110 §12.5.1; weights are not looked at).
    ///
    /// # Errors
    /// 406 `not_acceptable`.
    pub fn check_accept(&self, media: &str) -> Result<(), Problem> {
        if media == "*/*" {
            return Ok(());
        }
        let Some(accept) = self.header("accept").filter(|accept| !accept.trim().is_empty()) else { return Ok(()) };
        let group = media.split('/').next().unwrap_or_default();
        let fits = |range: &str| range == "*/*" || range == media || range.strip_suffix("/*") == Some(group);
        let ranges = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
        let mut ranges = ranges.map(str::to_ascii_lowercase);
        if ranges.any(|range| fits(&range) || range == "application/problem+json") {
            return Ok(());
        }
        Err(Problem::new(
            Code::NotAcceptable,
            format!("Only {media} is available. Add it to the `Accept` header, or leave the header out."),
        ))
    }

    /// The `Idempotency-Key`, if there is one: 1 to 255 characters of 0x21–0x7E without comma. Quotes are characters like
    /// any other: `"a"` and `a` are two keys.
    ///
    /// # Errors
    /// 400 `idempotency_key_invalid` or `header_repeated`.
    pub fn idempotency_key(&self) -> Result<Option<String>, Problem> {
        let Some(value) = self.single_header("idempotency-key")? else { return Ok(None) };
        let plain = |byte: u8| (0x21..=0x7E).contains(&byte) && byte != b',';
        if (1..=255).contains(&value.len()) && value.bytes().all(plain) {
            return Ok(Some(value.to_owned()));
        }
        let expected =
            "The `Idempotency-Key` is malformed. Send 1 to 255 printable ASCII characters without spaces and commas.";
        Err(Problem::new(Code::IdempotencyKeyInvalid, expected))
    }

    /// On a read, the value of `If-None-Match` (empty if absent); `None` on a write.
    pub fn known_tags(&self) -> Option<String> {
        let reads = matches!(self.method(), "GET" | "HEAD");
        reads.then(|| self.header("if-none-match").unwrap_or_default().to_owned())
    }

    /// The query's pairs, decoded; the gateway joins the values of a repeated name with commas.
    pub fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        self.event.query_string_parameters.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there is a body at all, for routes that can do without.
    pub fn has_body(&self) -> bool {
        self.event.body.as_deref().is_some_and(|body| !body.is_empty())
    }

    /// The raw bytes of a JSON body of at most [`MAX_BODY`] bytes, decoded once.
    ///
    /// # Errors
    /// 400 `body_missing`, 413 `body_too_large`, 415 `media_type_unsupported`, 400 `body_encoding_invalid`.
    pub fn body(&self) -> Result<&[u8], Problem> {
        self.body_up_to(MAX_BODY)
    }

    /// As [`Request::body`], with a limit of the route's own.
    ///
    /// # Errors
    /// As [`Request::body`].
    pub fn body_up_to(&self, most: usize) -> Result<&[u8], Problem> {
        match self.body.get() {
            Some(body) => Ok(body),
            None => {
                let body = self.decode_body(most)?;
                Ok(self.body.get_or_init(|| body))
            }
        }
    }

    /// Whether the body, if there is one, says that it is JSON. A page of another site cannot send this without asking first.
    pub fn has_json_type(&self) -> bool {
        let value = self.header("content-type").unwrap_or_default();
        let kind = value.split(';').next().unwrap_or_default().trim();
        !self.has_body() || kind.eq_ignore_ascii_case(JSON)
    }

    fn decode_body(&self, most: usize) -> Result<Vec<u8>, Problem> {
        let text = self.event.body.as_deref().unwrap_or_default();
        if text.is_empty() {
            return Err(Problem::new(
                Code::BodyMissing,
                "The body is missing. Send a JSON body with `Content-Type: application/json`.",
            ));
        }
        let too_large =
            || Problem::new(Code::BodyTooLarge, format!("The body is larger than {most} bytes. Send a smaller one."));
        let longest = if self.is_base64() { most.div_ceil(3) * 4 } else { most };
        if text.len() > longest {
            return Err(too_large());
        }
        self.check_media_type()?;
        if !self.is_base64() {
            return Ok(text.as_bytes().to_vec());
        }
        let invalid =
            |_| Problem::new(Code::BodyEncodingInvalid, "The body is marked as base64, but is not valid base64.");
        let bytes = BASE64.decode(text.as_bytes()).map_err(invalid)?;
        if bytes.len() > most { Err(too_large()) } else { Ok(bytes) }
    }

    fn is_base64(&self) -> bool {
        self.event.is_base64_encoded.unwrap_or(false)
    }

    fn check_media_type(&self) -> Result<(), Problem> {
        let unsupported = || {
            Problem::new(
                Code::MediaTypeUnsupported,
                "The media type is not supported. Send `Content-Type: application/json` in UTF-8, without `Content-Encoding`.",
            )
        };
        if self.single_header("content-encoding")?.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            return Err(unsupported());
        }
        let value = self.single_header("content-type")?.ok_or_else(unsupported)?;
        let mut parts = value.split(';').map(str::trim);
        let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
        let is_utf8 = parts.all(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            })
        });
        if is_json && is_utf8 { Ok(()) } else { Err(unsupported()) }
    }
}

/// Request ids go into headers and logs, so only plain ones are taken from an event.
fn is_request_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=+/.".contains(&b))
}
