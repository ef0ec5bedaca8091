//! A request out of a gateway event (API Gateway payload format 2.0), with the limits every route shares.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use data_encoding::BASE64;

use super::{Code, Problem};
use crate::deadline::Deadline;
use crate::domain::Timestamp;

/// The largest body, in bytes after decoding.
pub const MAX_BODY: usize = 64 * 1024;

/// One request. Nothing of its body is decoded until [`Request::body`] is called.
#[derive(Debug)]
pub struct Request {
    event: ApiGatewayV2httpRequest,
    /// The gateway's request id, or the invocation's.
    pub id: String,
    /// The time of the request; one value for everything it decides.
    pub now: Timestamp,
    /// When to give up.
    pub deadline: Deadline,
}

impl Request {
    /// Reads an event.
    ///
    /// # Errors
    /// 400 `event_malformed` when it is not an HTTP API event of payload format 2.0.
    pub fn parse(payload: &[u8], invocation_id: &str, now: Timestamp, deadline: Deadline) -> Result<Self, Problem> {
        let malformed =
            || Problem::new(Code::EventMalformed, "The event is not an HTTP API request of payload format 2.0.");
        let event: ApiGatewayV2httpRequest = serde_json::from_slice(payload).map_err(|_| malformed())?;
        if event.version.as_deref() != Some("2.0") || event.route_key.is_none() {
            return Err(malformed());
        }
        let id = event.request_context.request_id.clone().filter(|id| is_request_id(id));
        let id = id.unwrap_or_else(|| invocation_id.to_owned());
        Ok(Self { event, id, now, deadline })
    }

    /// `METHOD /path/{parameter}` as the template writes it.
    pub fn route_key(&self) -> &str {
        self.event.route_key.as_deref().unwrap_or_default()
    }

    /// The HTTP method.
    pub fn method(&self) -> &str {
        self.event.request_context.http.method.as_str()
    }

    /// A path parameter, percent-decoded by the gateway; empty when there is none.
    pub fn path(&self, name: &str) -> &str {
        self.event.path_parameters.get(name).map_or("", String::as_str)
    }

    /// The host the gateway was reached by, as the gateway says, never the `Host` header.
    pub fn gateway_host(&self) -> Option<&str> {
        self.event.request_context.domain_name.as_deref().filter(|host| !host.is_empty())
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.event.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The value of a header that may stand only once.
    ///
    /// # Errors
    /// 400 `header_repeated` when the event has it twice (in different letter case).
    pub fn single_header(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let mut values = self.event.headers.get_all(name).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(Problem::new(Code::HeaderRepeated, format!("The header `{name}` may stand only once.")));
        }
        Ok(first.and_then(|value| value.to_str().ok()))
    }

    /// The tags of `If-None-Match`, on a read.
    pub fn conditional(&self) -> Option<String> {
        let reads = matches!(self.method(), "GET" | "HEAD");
        reads.then(|| self.header("if-none-match").unwrap_or_default().to_owned())
    }

    /// The query's pairs, decoded.
    pub fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        self.event.query_string_parameters.iter()
    }

    /// Whether there is a body at all, for routes that can do without.
    pub fn has_body(&self) -> bool {
        self.event.body.as_deref().is_some_and(|body| !body.is_empty())
    }

    /// The raw bytes of a JSON body: there is one, it is not too large, and it says that it is JSON.
    ///
    /// # Errors
    /// 400 `body_missing`, 413 `body_too_large`, 415 `media_type_unsupported`, 400 `body_encoding_invalid`.
    pub fn body(&self) -> Result<Vec<u8>, Problem> {
        let text = self.event.body.as_deref().unwrap_or_default();
        if text.is_empty() {
            return Err(Problem::new(Code::BodyMissing, "This route needs a JSON body."));
        }
        let too_large = || Problem::new(Code::BodyTooLarge, format!("The body is larger than {MAX_BODY} bytes."));
        let longest = if self.event.is_base64_encoded { MAX_BODY.div_ceil(3) * 4 } else { MAX_BODY };
        if text.len() > longest {
            return Err(too_large());
        }
        self.check_media_type()?;
        if !self.event.is_base64_encoded {
            return Ok(text.as_bytes().to_vec());
        }
        let invalid = |_| Problem::new(Code::BodyEncodingInvalid, "The body is not valid base64.");
        let bytes = BASE64.decode(text.as_bytes()).map_err(invalid)?;
        if bytes.len() > MAX_BODY { Err(too_large()) } else { Ok(bytes) }
    }

    fn check_media_type(&self) -> Result<(), Problem> {
        let unsupported =
            || Problem::new(Code::MediaTypeUnsupported, "Send `content-type: application/json`, in UTF-8, unencoded.");
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
