//! What a handler answers, and how it becomes the gateway's response.

use aws_lambda_events::{apigw::ApiGatewayV2httpResponse, encodings::Body};
use http::{HeaderName, HeaderValue};
use serde::Serialize;

use super::Problem;

/// A successful answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers beside those every answer has.
    pub headers: Vec<(&'static str, String)>,
    /// The bytes of the body, always UTF-8 text.
    pub body: String,
}

impl Response {
    /// A JSON answer.
    ///
    /// # Errors
    /// 500 `internal` when the value cannot be written as JSON.
    pub fn json(status: u16, value: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(value).map_err(|_| Problem::internal())?;
        Ok(Self { status, headers: vec![("content-type", "application/json".into())], body })
    }

    /// Marks the answer as a replay of an earlier one.
    pub fn replayed(self, replayed: bool) -> Self {
        if replayed { self.with_header("idempotent-replayed", "true") } else { self }
    }

    /// Adds a header.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Headers of every answer that do not name their own: nothing here may be cached or sniffed.
const ALWAYS: &[(&str, &str)] = &[
    ("cache-control", "no-store"),
    ("content-language", "en"),
    ("x-content-type-options", "nosniff"),
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
];

/// Turns an answer or a problem into the gateway's response.
pub fn to_gateway(answer: Result<Response, Problem>, request_id: &str) -> ApiGatewayV2httpResponse {
    match answer {
        Ok(answer) => build(answer.status, &answer.headers, answer.body, request_id),
        Err(problem) => {
            let mut headers = problem.headers.clone();
            headers.push(("content-type", "application/problem+json".into()));
            let body = String::from_utf8(problem.to_json(request_id)).unwrap_or_default();
            build(problem.code.status(), &headers, body, request_id)
        }
    }
}

fn build(status: u16, headers: &[(&'static str, String)], body: String, request_id: &str) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(status);
    for (name, value) in ALWAYS.iter().copied().chain([("x-request-id", request_id)]) {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers.insert(HeaderName::from_static(name), value);
        }
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers.insert(HeaderName::from_static(name), value);
        }
    }
    response.body = Some(Body::Text(body));
    response
}
