//! Records every call to the table and the queue, by function, at the HTTP client below the SDK.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use serde_json::Value;

use crate::policy::Call;

/// The table's ARN in the expanded template.
pub const TABLE: &str = "arn:aws:dynamodb:eu-west-1:000000000000:table/Table";

/// The calls of each function.
pub type Calls = BTreeMap<String, BTreeSet<Call>>;

#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Mutex<Calls>>);

impl Watch {
    /// Wraps a function's HTTP client.
    pub fn around(&self, function: &'static str, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Watched { watch: self.clone(), function, inner })
    }

    pub fn calls(&self) -> Calls {
        self.0.lock().expect("notes").clone()
    }

    fn note(&self, function: &str, request: &HttpRequest) {
        let target = request.headers().get("x-amz-target").and_then(|target| target.split_once('.'));
        let body = request.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).expect("a body");
        let calls = match target.expect("a target") {
            ("AmazonSQS", operation) => vec![queue_call(operation, &body)],
            (_, operation) => table_calls(operation, &body),
        };
        self.0.lock().expect("notes").entry(function.to_owned()).or_default().extend(calls);
    }
}

#[derive(Debug)]
struct Watched<T> {
    watch: Watch,
    function: &'static str,
    inner: T,
}

impl HttpClient for Watched<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Watched { watch: self.watch.clone(), function: self.function, inner })
    }
}

impl HttpConnector for Watched<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.watch.note(self.function, &request);
        self.inner.call(request)
    }
}

/// A request to SQS, as IAM sees it.
fn queue_call(operation: &str, body: &Value) -> Call {
    let action = match operation {
        // It has no IAM action; IAM checks `SendMessage`.
        "SendMessageBatch" => "SendMessage",
        "ChangeMessageVisibility" => operation,
        other => panic!("unknown operation {other}: add the permissions that it needs"),
    };
    let name = body["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).expect("a queue");
    Call {
        action: format!("sqs:{action}"),
        resource: format!("arn:aws:sqs:eu-west-1:000000000000:{name}"),
        leading_key: None,
        enclosing: None,
    }
}

/// A request to DynamoDB, as the calls that IAM sees.
fn table_calls(operation: &str, body: &Value) -> Vec<Call> {
    let one = |action: &str, resource: String, leading_key: &Value, enclosing: Option<&str>| Call {
        action: format!("dynamodb:{action}"),
        resource,
        leading_key: Some(leading_key["S"].as_str().expect("a partition key").to_owned()),
        enclosing: enclosing.map(str::to_owned),
    };
    let of_table = |action, leading_key, enclosing| one(action, TABLE.to_owned(), leading_key, enclosing);
    match operation {
        "GetItem" => vec![of_table(operation, &body["Key"]["pk"], None)],
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().expect("tables").values();
            let keys = tables.flat_map(|table| table["Keys"].as_array().expect("keys"));
            keys.map(|key| of_table(operation, &key["pk"], None)).collect()
        }
        "Query" => {
            let resource = body["IndexName"].as_str().map_or(TABLE.to_owned(), |name| format!("{TABLE}/index/{name}"));
            assert!(body["KeyConditionExpression"].as_str().is_some_and(|text| text.starts_with("#pk = :pk")));
            vec![one(operation, resource, &body["ExpressionAttributeValues"][":pk"], None)]
        }
        "TransactWriteItems" => {
            let writes = body["TransactItems"].as_array().expect("writes").iter();
            let writes = writes.flat_map(|write| write.as_object().expect("a write"));
            let calls = writes.map(|(kind, write)| match kind.as_str() {
                "Put" => of_table("PutItem", &write["Item"]["pk"], Some(operation)),
                "Update" => of_table("UpdateItem", &write["Key"]["pk"], Some(operation)),
                "ConditionCheck" => of_table("ConditionCheckItem", &write["Key"]["pk"], Some(operation)),
                "Delete" => of_table("DeleteItem", &write["Key"]["pk"], Some(operation)),
                other => panic!("{other} in a transaction"),
            });
            calls.collect()
        }
        other => panic!("unknown operation {other}: add the permissions that it needs"),
    }
}
