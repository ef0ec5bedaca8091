//! An in-memory queue below the real SDK client.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

#[derive(Clone, Debug, Default)]
pub struct Mailbox(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    tickets: VecDeque<String>,
    batches: Vec<usize>,
    postponed: Vec<u64>,
    refused: Option<String>,
}

impl Mailbox {
    /// Removes and returns at most this many tickets, oldest first.
    pub fn take(&self, most: usize) -> Vec<String> {
        let mut kept = self.kept();
        let most = most.min(kept.tickets.len());
        kept.tickets.drain(..most).collect()
    }

    pub fn put(&self, ticket: String) {
        self.kept().tickets.push_back(ticket);
    }

    /// The number of entries of each `SendMessageBatch`.
    pub fn batches(&self) -> Vec<usize> {
        self.kept().batches.clone()
    }

    /// The seconds of each postponement.
    pub fn postponed(&self) -> Vec<u64> {
        self.kept().postponed.clone()
    }

    /// From now on rejects the entry with this id in every batch.
    pub fn refuse(&self, id: &str) {
        self.kept().refused = Some(id.to_owned());
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("tickets")
    }

    fn answer(&self, operation: &str, body: &Value) -> Value {
        match operation {
            "SendMessageBatch" => self.keep(body["Entries"].as_array().expect("entries")),
            "ChangeMessageVisibility" => {
                self.kept().postponed.push(body["VisibilityTimeout"].as_u64().expect("seconds"));
                json!({})
            }
            other => panic!("this queue does not support {other}"),
        }
    }

    fn keep(&self, entries: &[Value]) -> Value {
        let mut kept = self.kept();
        kept.batches.push(entries.len());
        for entry in entries {
            let ticket: Value =
                serde_json::from_str(entry["MessageBody"].as_str().expect("a string")).expect("a ticket");
            assert_eq!(entry["MessageGroupId"], ticket["endpoint_id"], "the message group must be the endpoint");
        }
        let refused = kept.refused.clone();
        let (failed, sent): (Vec<_>, Vec<_>) =
            entries.iter().partition(|entry| entry["Id"].as_str() == refused.as_deref());
        kept.tickets.extend(sent.iter().map(|entry| entry["MessageBody"].as_str().expect("a string").to_owned()));
        let failed =
            failed.iter().map(|entry| json!({"Id": entry["Id"], "Code": "InternalError", "SenderFault": false}));
        let sent = sent.iter().map(|entry| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "m"}));
        json!({"Successful": sent.collect::<Vec<_>>(), "Failed": failed.collect::<Vec<_>>()})
    }
}

impl HttpClient for Mailbox {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Mailbox {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.strip_prefix("AmazonSQS."));
        let body = request.body().bytes().and_then(|body| serde_json::from_slice(body).ok());
        let answer = self.answer(operation.expect("an SQS request"), &body.expect("a body"));
        let status = 200.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(answer.to_string()))))
    }
}
