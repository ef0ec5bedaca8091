//! An HTTP client for the SDK that records every request to the table and the capacity it consumed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::{RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use serde_json::{Value, json};

/// One request to the table.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GetItem`, `Query`, `TransactWriteItems`, …
    pub operation: String,
    pub request: Value,
    /// Whether the request succeeded.
    pub done: bool,
    /// Consumed capacity units of the table, without its indexes.
    pub units: f64,
}

impl Asked {
    pub fn writes(&self) -> bool {
        self.operation == "TransactWriteItems"
    }

    /// Kind and key of each write of a transaction.
    pub fn touched(&self) -> Vec<(String, (String, String))> {
        let writes = self.request["TransactItems"].as_array().into_iter().flatten();
        let part = |key: &Value, name: &str| key[name]["S"].as_str().expect("a key of text").to_owned();
        let touched = |write: &Value| {
            let (kind, write) = write.as_object().and_then(|write| write.iter().next()).expect("a write");
            let key = if kind == "Put" { &write["Item"] } else { &write["Key"] };
            (kind.clone(), (part(key, "pk"), part(key, "sk")))
        };
        writes.map(touched).collect()
    }
}

#[derive(Clone)]
pub struct Meter {
    client: SharedHttpClient,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

impl Meter {
    pub fn over(client: SharedHttpClient) -> Self {
        Self { client, asked: Arc::default() }
    }

    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// The requests since the last call of this function.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn ask(&self, mut http: HttpRequest, connector: SharedHttpConnector) -> Result<HttpResponse, ConnectorError> {
        let target = http.headers().get("x-amz-target").and_then(|target| target.split_once('.'));
        let operation = target.map_or_else(String::new, |(_, operation)| operation.to_owned());
        let mut request: Value = serde_json::from_slice(http.body().bytes().unwrap_or_default()).unwrap_or_default();
        request["ReturnConsumedCapacity"] = json!("INDEXES");
        let body = request.to_string();
        http.headers_mut().insert("content-length", body.len().to_string());
        *http.body_mut() = SdkBody::from(body);
        let response = connector.call(http).await?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(ConnectorError::io)?.to_bytes();
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let asked = Asked { operation, request, done: status.is_success(), units: units(&answer["ConsumedCapacity"]) };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        Ok(HttpResponse::new(status, SdkBody::from(body.to_vec())))
    }
}

/// The units of one table or of a list of tables, without indexes.
fn units(consumed: &Value) -> f64 {
    match consumed {
        Value::Array(tables) => tables.iter().map(units).sum(),
        table => table["Table"]["CapacityUnits"].as_f64().or(table["CapacityUnits"].as_f64()).unwrap_or_default(),
    }
}

impl HttpClient for Meter {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.client.http_connector(settings, components);
        SharedHttpConnector::new(Connector { meter: self.clone(), inner })
    }
}

#[derive(Debug)]
struct Connector {
    meter: Meter,
    inner: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (meter, inner) = (self.meter.clone(), self.inner.clone());
        HttpConnectorFuture::new(async move { meter.ask(request, inner).await })
    }
}
