//! An HTTP client below the SDK. With it, tests observe, delay and reject requests to the table, and change responses.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use local::engine::Engine;
use serde_json::{Value, json};

/// A request to the table that has not been sent yet.
pub struct Sent {
    /// The DynamoDB operation, for example `GetItem`.
    pub operation: String,
    /// The JSON body of the request.
    pub body: Value,
    request: HttpRequest,
    to: SharedHttpConnector,
}

impl Sent {
    /// Sends the request unchanged.
    pub fn go_on(self) -> HttpConnectorFuture {
        self.to.call(self.request)
    }
}

/// Decides what happens to each request.
pub type Rule = dyn Fn(Sent) -> HttpConnectorFuture + Send + Sync;

/// The engine's HTTP client, with a rule that gets each request.
pub fn wire(engine: &Engine, rule: impl Fn(Sent) -> HttpConnectorFuture + Send + Sync + 'static) -> SharedHttpClient {
    SharedHttpClient::new(Ruled { rule: Arc::new(rule), inner: engine.http_client() })
}

/// A DynamoDB error response with this code.
pub fn refusal(code: &str) -> HttpResponse {
    answer(400, &json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "injected"}))
}

/// A response with this status and JSON body.
pub fn answer(status: u16, body: &Value) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(body.to_string()))
}

/// Reads the JSON body of a response.
pub async fn read(answer: HttpResponse) -> Value {
    let bytes = ByteStream::new(answer.into_body()).collect().await.expect("a body").into_bytes();
    serde_json::from_slice(&bytes).expect("JSON")
}

struct Ruled<T> {
    rule: Arc<Rule>,
    inner: T,
}

impl<T> fmt::Debug for Ruled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ruled")
    }
}

impl HttpClient for Ruled<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Ruled { rule: Arc::clone(&self.rule), inner })
    }
}

impl HttpConnector for Ruled<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        (self.rule)(Sent { operation, body, request, to: self.inner.clone() })
    }
}
