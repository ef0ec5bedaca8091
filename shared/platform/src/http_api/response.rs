//! What a handler returns, and how it becomes the gateway's response.

use std::fmt;

use aws_lambda_events::{apigw::ApiGatewayV2httpResponse, encodings::Body};
use http::{HeaderName, HeaderValue};
use serde::Serialize;

use super::Problem;

/// The media type of responses.
pub(super) const JSON: &str = "application/json";

/// Sets or clears a cookie. The only header that a response can have several times.
pub const SET_COOKIE: &str = "set-cookie";

/// A successful response.
#[derive(Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers besides those that every response has.
    pub headers: Vec<(&'static str, String)>,
    /// The bytes of the body, always UTF-8 text.
    pub body: String,
}

/// Responses have keys, secrets and links, so a body is not shown.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Response {
    /// A JSON response.
    ///
    /// # Errors
    /// 500 `internal` when the value cannot be written as JSON.
    pub fn json(status: u16, value: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(value).map_err(Problem::internal)?;
        Ok(Self { status, headers: vec![("content-type", JSON.into())], body })
    }

    /// Adds a header.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Headers of every response, which a response may replace: responses must not be cached or sniffed.
const ALWAYS: &[(&str, &str)] = &[
    ("cache-control", "no-store"),
    ("content-language", "en"),
    ("x-content-type-options", "nosniff"),
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
];

/// Turns a response or a problem into the gateway's response.
pub fn to_gateway(answer: Result<Response, Problem>, request_id: &str) -> ApiGatewayV2httpResponse {
    match answer {
        Ok(answer) => build(answer.status, &answer.headers, answer.body, request_id),
        Err(problem) => {
            let body = problem.to_json(request_id);
            let mut headers = problem.headers;
            headers.push(("content-type", "application/problem+json".into()));
            build(problem.code.status(), &headers, body, request_id)
        }
    }
}

fn build(status: u16, headers: &[(&'static str, String)], body: String, request_id: &str) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(status);
    let always = ALWAYS.iter().copied().chain([("x-request-id", request_id)]);
    let own = headers.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in always.chain(own) {
        // A header map holds one value of each name. The gateway takes cookies by themselves.
        if name == SET_COOKIE {
            response.cookies.push(value.to_owned());
            continue;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            response.headers.insert(name, value);
        }
    }
    // A compressed body is bytes, and the handler wrote them as base64.
    response.is_base64_encoded = headers.iter().any(|(name, _)| *name == "content-encoding");
    response.body = Some(Body::Text(body));
    response
}
