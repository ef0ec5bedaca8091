//! HTTP calls of the API, for the samples, the demo and tests.

use reqwest::Client;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// A client of the API at one address.
pub struct Api {
    base_url: String,
    client: Client,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
}

/// A response with its whole body.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    json: Value,
}

/// A call got no response.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("`{0}` is not an HTTP method")]
    Method(String),
    #[error("no response: {0}")]
    NoResponse(#[from] reqwest::Error),
}

/// Every HTTP client of this process without TLS settings of its own has ring. Without this, making one panics.
pub(crate) fn use_ring() {
    // An error says that there is a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Api {
    /// A client that uses no proxy, because the API runs on this machine.
    ///
    /// # Errors
    /// [`ApiError::NoResponse`] if the system allows no client.
    pub fn new(base_url: &str) -> Result<Self, ApiError> {
        use_ring();
        Ok(Self::with_client(base_url, Client::builder().no_proxy().build()?))
    }

    pub fn with_client(base_url: &str, client: Client) -> Self {
        Self { base_url: base_url.to_owned(), client }
    }

    /// Sends a call once.
    ///
    /// # Errors
    /// [`ApiError`] if there is no whole response. The call may have taken effect nevertheless.
    pub async fn send(&self, call: &Call) -> Result<Answer, ApiError> {
        let method = call.method.parse().map_err(|_| ApiError::Method(call.method.clone()))?;
        let mut request = self.client.request(method, format!("{}{}", self.base_url, call.path));
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer::new(status, headers, response.bytes().await?.to_vec()))
    }
}

impl Call {
    /// A call without headers and body.
    pub fn new(method: &str, path: impl Into<String>) -> Self {
        Self { method: method.to_owned(), path: path.into(), headers: Vec::new(), body: None }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// `POST` with a JSON body.
    pub fn post(path: impl Into<String>, body: &Value) -> Self {
        Self::new("POST", path).json(body)
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self::new("DELETE", path)
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").bytes(body.to_string())
    }

    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With a bearer key.
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", format!("Bearer {key}"))
    }

    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.header("idempotency-key", key)
    }
}

impl Answer {
    pub fn new(status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Self { status, headers, body, json }
    }

    /// The body as JSON; null if it is not JSON.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.json.pointer(pointer).and_then(Value::as_str)
    }

    /// A problem's code; empty if the response is not a problem.
    pub fn code(&self) -> &str {
        let is_problem = self.header("content-type") == Some("application/problem+json");
        self.text("/code").filter(|_| is_problem).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether the response is marked as the replay of an earlier one.
    pub fn replayed(&self) -> bool {
        self.header("idempotent-replayed") == Some("true")
    }
}
