//! A little client of the API, for those who call it from within this program: the samples and the demo.

use reqwest::{Client, Method};
use serde_json::Value;

/// A client of the API at one address.
pub struct Api {
    base_url: String,
    client: Client,
}

/// A call to be sent.
#[derive(Clone, Debug)]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty when there is none.
    pub body: Vec<u8>,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Whether it is marked as the answer of an earlier request.
    pub replayed: bool,
    /// The body as it came.
    pub body: Vec<u8>,
    /// The body as JSON; null when it is none.
    pub json: Value,
}

impl Api {
    /// A client. It asks no proxy for a machine that it is on.
    ///
    /// # Errors
    /// When there can be no client at all.
    pub fn new(base_url: &str) -> reqwest::Result<Self> {
        Ok(Self { base_url: base_url.to_owned(), client: Client::builder().no_proxy().build()? })
    }

    /// Sends a call.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, call: &Call) -> reqwest::Result<Answer> {
        let mut request = self.client.request(call.method.clone(), format!("{}{}", self.base_url, call.path));
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let answer = request.body(call.body.clone()).send().await?;
        let status = answer.status().as_u16();
        let replayed = answer.headers().get("idempotent-replayed").is_some_and(|value| value == "true");
        let body = answer.bytes().await?.to_vec();
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Answer { status, replayed, body, json })
    }
}

impl Call {
    /// A call without headers and body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// `GET`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// `POST` of a JSON document.
    pub fn post(path: impl Into<String>, body: &Value) -> Self {
        Self { body: body.to_string().into_bytes(), ..Self::new(Method::POST, path) }
            .header("content-type", "application/json")
    }

    /// With a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a key.
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", format!("Bearer {key}"))
    }

    /// With an idempotency key.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.header("idempotency-key", key)
    }
}

impl Answer {
    /// A problem's code; empty when it is no problem.
    pub fn code(&self) -> &str {
        self.text("/code").unwrap_or_default()
    }

    /// The text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.json.pointer(pointer).and_then(Value::as_str)
    }
}
