//! An HTTP client for the SDK that records every request to the table and the capacity it consumed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::{RuntimeComponents, SharedHttpClient};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use data_encoding::BASE64;
use http_body_util::BodyExt;
use local::TABLE;
use local::engine::Engine;
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
    /// Consumed capacity units of the table and its indexes.
    pub total: f64,
    /// What a successful transaction did to each of its items. Only a meter that is [`Meter::watching`] knows it.
    pub changes: Vec<Change>,
}

/// An item with its attributes sorted by name.
pub type Item = BTreeMap<String, AttributeValue>;

/// An item before and after a transaction that wrote or checked it.
#[derive(Clone, Debug)]
pub struct Change {
    pub key: (String, String),
    pub before: Option<Item>,
    pub after: Option<Item>,
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
    /// Reads the items of transactions.
    reader: Option<Engine>,
    is_off: Arc<AtomicBool>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

impl Meter {
    pub fn over(client: SharedHttpClient) -> Self {
        Self { client, asked: Arc::default(), reader: None, is_off: Arc::default() }
    }

    /// A meter that also reads the items of each transaction before and after it.
    pub fn watching(engine: &Engine) -> Self {
        Self { reader: Some(engine.clone()), ..Self::over(engine.http_client()) }
    }

    /// Records nothing, or records again. Requests that are not recorded pass unchanged.
    pub fn switch(&self, on: bool) {
        self.is_off.store(!on, Ordering::SeqCst);
    }

    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// The requests since the last call of this function.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn ask(&self, mut http: HttpRequest, connector: SharedHttpConnector) -> Result<HttpResponse, ConnectorError> {
        if self.is_off.load(Ordering::SeqCst) {
            return connector.call(http).await;
        }
        let target = http.headers().get("x-amz-target").and_then(|target| target.split_once('.'));
        let operation = target.map_or_else(String::new, |(_, operation)| operation.to_owned());
        let mut request: Value = serde_json::from_slice(http.body().bytes().unwrap_or_default()).unwrap_or_default();
        request["ReturnConsumedCapacity"] = json!("INDEXES");
        let body = request.to_string();
        http.headers_mut().insert("content-length", body.len().to_string());
        *http.body_mut() = SdkBody::from(body);
        let (total, changes) = (0.0, Vec::new());
        let mut asked = Asked { operation, request, done: false, units: 0.0, total, changes };
        let before = self.items(&asked);
        let response = connector.call(http).await?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(ConnectorError::io)?.to_bytes();
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        asked.done = status.is_success();
        asked.units = units(&answer["ConsumedCapacity"]);
        asked.total = total_units(&answer["ConsumedCapacity"]);
        if asked.done {
            let both = before.into_iter().zip(self.items(&asked));
            asked.changes = both.map(|((key, before), (_, after))| Change { key, before, after }).collect();
        }
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        Ok(HttpResponse::new(status, SdkBody::from(body.to_vec())))
    }
}

impl Meter {
    /// The items of a transaction as they are now.
    fn items(&self, asked: &Asked) -> Vec<((String, String), Option<Item>)> {
        let Some(reader) = self.reader.as_ref().filter(|_| asked.writes()) else { return Vec::new() };
        let read = |key: (String, String)| {
            let get =
                json!({"TableName": TABLE, "Key": {"pk": {"S": key.0}, "sk": {"S": key.1}}, "ConsistentRead": true});
            let (_, answer) = reader.call("GetItem", get);
            let item = answer["Item"].as_object();
            let item = item.map(|item| item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect());
            (key, item)
        };
        asked.touched().into_iter().map(|(_, key)| read(key)).collect()
    }
}

fn attribute(json: &Value) -> AttributeValue {
    let (kind, value) = json.as_object().and_then(|json| json.iter().next()).expect("an attribute");
    let text = || value.as_str().expect("text").to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "B" => AttributeValue::B(Blob::new(BASE64.decode(text().as_bytes()).expect("base64"))),
        "BOOL" => AttributeValue::Bool(value == true),
        "L" => AttributeValue::L(value.as_array().expect("a list").iter().map(attribute).collect()),
        "M" => {
            let members = value.as_object().expect("a map").iter();
            AttributeValue::M(members.map(|(name, value)| (name.clone(), attribute(value))).collect())
        }
        other => panic!("unexpected attribute: {other}"),
    }
}

/// The units of one table or of a list of tables, with their indexes.
fn total_units(consumed: &Value) -> f64 {
    match consumed {
        Value::Array(tables) => tables.iter().map(total_units).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or_default(),
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
