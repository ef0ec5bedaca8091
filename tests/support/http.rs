//! One HTTP call and its answer.

use platform::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use platform::aws_lambda_events::encodings::Body;
use platform::http_api::{Code, TYPE_BASE};
use serde_json::Value;

/// A call to be sent.
#[derive(Clone, Debug)]
pub struct Call {
    /// Method.
    pub method: reqwest::Method,
    /// Path and query.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Option<Vec<u8>>,
}

impl Call {
    /// A call without headers and body.
    pub fn new(method: &str, path: impl Into<String>) -> Self {
        let method = method.parse().expect("a method");
        Self { method, path: path.into(), headers: Vec::new(), body: None }
    }

    /// `GET`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// `POST` with a JSON body.
    pub fn post(path: impl Into<String>, body: &Value) -> Self {
        Self::new("POST", path).json(body)
    }

    /// `DELETE`.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new("DELETE", path)
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").bytes(body.to_string())
    }

    /// With these bytes as body.
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With a bearer key.
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", format!("Bearer {key}"))
    }

    /// With an idempotency key.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.header("idempotency-key", key)
    }
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: reqwest::header::HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A function's answer, past the gateway.
    pub fn of(response: ApiGatewayV2httpResponse) -> Self {
        let body = match response.body {
            Some(Body::Text(text)) => text.into_bytes(),
            Some(Body::Binary(bytes)) => bytes,
            _ => Vec::new(),
        };
        Self { status: u16::try_from(response.status_code).expect("a status"), headers: response.headers, body }
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A problem's code; empty when it is no problem.
    pub fn code(&self) -> String {
        let is_problem = self.header("content-type") == Some("application/problem+json");
        if is_problem { self.json()["code"].as_str().unwrap_or_default().to_owned() } else { String::new() }
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether it is marked as a replay.
    pub fn replayed(&self) -> bool {
        self.header("idempotent-replayed") == Some("true")
    }

    /// The JSON of an answer that must have this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// The problem of an answer that must be this one, and of the one shape that problems have.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!((self.status, self.code().as_str()), (status, code), "{text}");
        let known = Code::ALL.iter().find(|known| known.name() == code).expect("a registered code");
        let problem = self.json();
        assert_eq!(problem["type"], format!("{TYPE_BASE}{code}"), "{text}");
        assert_eq!(problem["title"], known.title(), "{text}");
        assert_eq!((&problem["status"], known.status()), (&Value::from(status), status), "{text}");
        assert_eq!(problem["retryable"], known.retryable(), "{text}");
        let id = self.header("x-request-id").unwrap_or_default();
        assert_eq!(problem["instance"], format!("urn:request:{id}"), "{text}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{text}");
        assert_eq!(problem["errors"].is_array(), code == "validation_failed", "{text}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{text}");
        // Neither the inside of the process nor anybody's secret has a place in an answer.
        for inside in ["panicked", ".rs", "arn:", "dynamo"] {
            assert!(!text.to_lowercase().contains(inside), "{inside}: {text}");
        }
        for secret in ["mpk_", "whsec_"] {
            let shown = text.split(secret).skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
            assert!(!shown, "{secret}: {text}");
        }
        problem
    }

    /// The pointers of a problem's errors.
    pub fn pointers(&self) -> Vec<String> {
        let problem = self.json();
        let errors = problem["errors"].as_array().into_iter().flatten();
        errors.map(|error| error["pointer"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Everything that two answers must share to look the same: status, headers and body, less the request's own id.
    pub fn looks(&self) -> (u16, Vec<(String, String)>, Value) {
        let own = ["x-request-id", "apigw-requestid", "date"];
        let named = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let mut headers: Vec<_> =
            self.headers.iter().map(named).filter(|(name, _)| !own.contains(&name.as_str())).collect();
        headers.sort_unstable();
        let mut body = self.json();
        if let Some(members) = body.as_object_mut() {
            members.remove("instance");
        }
        (self.status, headers, body)
    }
}
