//! A response with the checks that tests make.

use std::ops::Deref;

use platform::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use platform::aws_lambda_events::encodings::Body;
use platform::http_api::{Code, TYPE_BASE};
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value;

pub use local::api::Call;

/// A response with its whole body.
#[derive(Clone, Debug)]
pub struct Answer(pub local::api::Answer);

impl Deref for Answer {
    type Target = local::api::Answer;

    fn deref(&self) -> &local::api::Answer {
        &self.0
    }
}

impl Answer {
    /// A function's response, without the gateway.
    pub fn of(response: ApiGatewayV2httpResponse) -> Self {
        let body = match response.body {
            Some(Body::Text(text)) => text.into_bytes(),
            Some(Body::Binary(bytes)) => bytes,
            _ => Vec::new(),
        };
        let status = u16::try_from(response.status_code).expect("a status");
        let mut headers = response.headers;
        for cookie in &response.cookies {
            headers.append("set-cookie", HeaderValue::from_str(cookie).expect("a header's value"));
        }
        Self(local::api::Answer::new(status, headers, body))
    }

    /// The body as JSON; null if it is not JSON.
    pub fn json(&self) -> Value {
        self.0.json().clone()
    }

    /// A problem's code; empty if the response is not a problem.
    pub fn code(&self) -> String {
        self.0.code().to_owned()
    }

    /// Asserts the status. Returns the JSON.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Asserts that this is a well-formed problem with this status and code. Returns its JSON.
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
        // A response reveals no implementation details and no secrets.
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

    /// Status, headers and body without the request's id, to compare two responses.
    pub fn looks(&self) -> (u16, Vec<(String, String)>, Value) {
        let own = ["x-request-id", "apigw-requestid", "date"];
        let named = |(name, value): (&HeaderName, &HeaderValue)| {
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
