//! Webhooks in the deployment: stream, queue, dead letters and alarms, and the requests of the real SDK to the queue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use domain::{EndpointId, MessageId, Owner, PartnerId, Timestamp, digest};
use local::courier::queue::VISIBILITY;
use local::courier::{QUEUE_BATCH, STREAM_BATCH};
use local::samples::tenants::NORTHWIND;
use local::table_config;
use platform::clock::Clock;
use platform::outbound::Settings;
use platform::queue::sqs::Sqs;
use platform::queue::{LONGEST_POSTPONEMENT, Queue, Ticket};
use platform::store::keys::{GSI3_PK, OUTBOX};
use serde_json::{Value, json};
use tests::sample_events::{Mailbox, Stage, lambda_events, play};
use tests::{Call, Partner};

use crate::deployment::{Deployment, Function};

fn function(name: &str) -> Function {
    Deployment::read().functions().into_iter().find(|function| function.name == name).expect("a function")
}

/// The properties of a function's event of this type.
fn mapping(function: &str, kind: &str) -> Value {
    let events = self::function(function).events;
    let mut found = events.values().filter(|event| event["Type"] == kind);
    let mapping = found.next().expect("an event")["Properties"].clone();
    assert_eq!(found.next(), None);
    mapping
}

fn queue(id: &str) -> Value {
    Deployment::read().resource(id)["Properties"].clone()
}

fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:eu-west-1:000000000000:{queue}")
}

#[test]
fn the_stream_loses_nothing_and_a_bad_record_does_not_stop_the_others() {
    let mut mapping = mapping("publish-events", "DynamoDB");
    mapping.as_object_mut().expect("an object").remove("FilterCriteria");
    assert_eq!(
        mapping,
        json!({
            "Stream": "arn:aws:dynamodb:eu-west-1:000000000000:table/Table/stream/now",
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 100,
            "MaximumBatchingWindowInSeconds": 0,
            "ParallelizationFactor": 2,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "BisectBatchOnFunctionError": true,
            "MaximumRetryAttempts": 10,
            "MaximumRecordAgeInSeconds": 21_600,
            "DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": arn("StreamDeadLetters")}},
        })
    );
}

/// The pattern of the stream's mapping.
fn filter() -> Value {
    let filters = mapping("publish-events", "DynamoDB")["FilterCriteria"]["Filters"].clone();
    assert_eq!(filters.as_array().map(Vec::len), Some(1));
    serde_json::from_str(filters[0]["Pattern"].as_str().expect("a pattern")).expect("JSON")
}

#[tokio::test]
async fn the_stream_invokes_the_function_only_for_items_in_the_outbox() {
    assert_eq!(filter(), json!({"dynamodb": {"NewImage": {GSI3_PK: {"S": [{"prefix": OUTBOX}]}}}}));
    let stage = Stage::start(None).await;
    play(&stage).await;
    let samples = stage.samples();
    let sample = samples.iter().find(|sample| sample.path() == "publish-events/committed.json").expect("a sample");
    let batch: Value = serde_json::from_str(&sample.text).expect("JSON");
    let mut seen = BTreeSet::new();
    for record in batch["Records"].as_array().expect("records") {
        let mark = record["dynamodb"]["NewImage"][GSI3_PK]["S"].as_str().unwrap_or_default();
        let name = record["eventName"].as_str().expect("a name").to_owned();
        let expired = record["userIdentity"]["principalId"] == "dynamodb.amazonaws.com";
        seen.insert((name, mark.starts_with(OUTBOX), expired));
    }
    let expected = [("INSERT", true, false), ("MODIFY", true, false), ("REMOVE", false, true)];
    assert_eq!(seen, expected.map(|(name, marked, expired)| (name.to_owned(), marked, expired)).into());
}

#[test]
fn the_queue_sends_batches_that_may_fail_partially() {
    assert_eq!(
        mapping("deliver-webhook", "SQS"),
        json!({
            "Queue": arn("WebhookQueue"), "BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 4},
        })
    );
}

#[test]
fn the_local_run_has_the_batch_sizes_and_visibility_of_the_template() {
    assert_eq!(mapping("publish-events", "DynamoDB")["BatchSize"], STREAM_BATCH);
    assert_eq!(mapping("deliver-webhook", "SQS")["BatchSize"], QUEUE_BATCH);
    assert_eq!(queue("WebhookQueue")["VisibilityTimeout"], VISIBILITY.as_secs());
}

#[test]
fn the_visibility_timeout_is_longer_than_an_attempt() {
    let timeout = Duration::from_secs(function("deliver-webhook").properties["Timeout"].as_u64().expect("seconds"));
    assert!(
        timeout >= Settings::default().total + Duration::from_secs(10),
        "too short to store the result of an attempt"
    );
    // AWS recommends this for mappings.
    assert!(VISIBILITY >= 6 * timeout);
    assert!(LONGEST_POSTPONEMENT < Duration::from_secs(12 * 3_600), "SQS allows at most 12 hours");
}

#[test]
fn queues_are_encrypted_and_keep_messages_as_long_as_possible() {
    for id in ["WebhookQueue", "WebhookDeadLetters", "StreamDeadLetters"] {
        let queue = queue(id);
        assert_eq!(
            (&queue["MessageRetentionPeriod"], &queue["SqsManagedSseEnabled"]),
            (&json!(1_209_600), &json!(true))
        );
        assert_eq!(queue.get("QueueName"), None, "a queue with a fixed name can't be replaced or deployed twice");
    }
    let redrive = json!({"deadLetterTargetArn": arn("WebhookDeadLetters"), "maxReceiveCount": 1000});
    assert_eq!(queue("WebhookQueue")["RedrivePolicy"], redrive);
}

/// The functions' real queue client, with an in-memory queue.
fn sqs(mailbox: &Mailbox) -> Sqs {
    let sqs = table_config().dynamodb;
    Sqs::new(&sqs, "https://sqs.us-east-1.amazonaws.com/1/q".into(), SharedHttpClient::new(mailbox.clone()))
}

fn tickets(count: u8) -> Vec<Ticket> {
    let ticket = |at: u8| {
        let hash = digest("ticket", &[&[at]]);
        let owner = Owner::Partner(PartnerId::from_hash(&hash));
        Ticket { webhook_id: MessageId::from_hash(&hash).into(), endpoint_id: EndpointId::from_hash(&hash), owner }
    };
    (0..count).map(ticket).collect()
}

#[tokio::test]
async fn more_than_ten_tickets_are_sent_in_batches_of_ten() {
    let mailbox = Mailbox::default();
    let tickets = tickets(23);
    sqs(&mailbox).send(tickets.clone()).await.expect("it sends");
    assert_eq!(mailbox.batches(), [10, 10, 3]);
    let arrived: Vec<_> = mailbox.take(99).iter().map(|text| Ticket::parse(text).expect("a ticket")).collect();
    assert_eq!(arrived, tickets);
    sqs(&mailbox).send(Vec::new()).await.expect("an empty send succeeds");
    assert_eq!(mailbox.batches().len(), 3);
}

#[tokio::test]
async fn a_batch_that_is_partially_rejected_is_an_error() {
    let mailbox = Mailbox::default();
    mailbox.refuse("4");
    let error = sqs(&mailbox).send(tickets(7)).await.expect_err("one ticket is rejected");
    assert!(error.to_string().contains("1 of 7") && error.to_string().contains("InternalError"), "{error}");
    assert_eq!(mailbox.take(99).len(), 6, "the other tickets are in the queue");
}

#[tokio::test]
async fn a_ticket_is_postponed_by_whole_seconds_and_at_most_a_quarter_of_an_hour() {
    let mailbox = Mailbox::default();
    for wait in [Duration::from_millis(1_900), Duration::from_secs(86_400)] {
        sqs(&mailbox).postpone("receipt", wait).await.expect("the ticket is postponed");
    }
    assert_eq!(mailbox.postponed(), [2, 900]);
}

/// The seconds of each postponement, by receipt.
#[derive(Clone, Debug, Default)]
struct PutBack(Arc<Mutex<BTreeMap<String, u64>>>);

impl PutBack {
    fn take(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.0.lock().expect("notes"))
    }

    fn note(&self, request: &HttpRequest) {
        if request.headers().get("x-amz-target") != Some("AmazonSQS.ChangeMessageVisibility") {
            return;
        }
        let body: Value = serde_json::from_slice(request.body().bytes().expect("a body")).expect("JSON");
        let receipt = body["ReceiptHandle"].as_str().expect("a receipt").to_owned();
        let before =
            self.0.lock().expect("notes").insert(receipt, body["VisibilityTimeout"].as_u64().expect("seconds"));
        assert_eq!(before, None, "each ticket is postponed once");
    }
}

/// An HTTP client that records calls.
#[derive(Debug)]
struct Noted<T>(PutBack, T);

impl HttpClient for Noted<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Noted(self.0.clone(), self.1.http_connector(settings, components)))
    }
}

impl HttpConnector for Noted<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.note(&request);
        self.1.call(request)
    }
}

/// A partner that the operator enrolls.
pub async fn partner(stage: &Stage) -> Partner {
    let operator = async |path: &str, body: &Value| {
        let call = Call::post(path, body).key(stage.operator_key());
        stage.send(&call).await.answer.expect(201)
    };
    let enrolled = operator("/v1/partners", &NORTHWIND.body()).await;
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let (partner_id, signing_secret) = (text(&enrolled["partner"]["partner_id"]), text(&enrolled["signing_secret"]));
    let principal = json!({"kind": "partner", "id": partner_id});
    let key = operator("/v1/keys", &json!({"principal": principal, "roles": ["global_admin"], "name": "test"})).await;
    Partner { partner_id, tenant_id: NORTHWIND.tenant_id.into(), key: text(&key["key"]), signing_secret }
}

#[tokio::test]
async fn each_delivery_that_must_wait_is_postponed_and_reported() {
    let put_back = PutBack::default();
    let around = |_, http| SharedHttpClient::new(Noted(put_back.clone(), http));
    let stage = Stage::start(Some(&around)).await;
    let partner = partner(&stage).await;
    let mut endpoints = Vec::new();
    for name in ["first", "second", "gone"] {
        let body = json!({"url": format!("https://{name}.example/"), "event_types": ["relationship.ended"]});
        let created = stage.send(&partner.call("POST", "/endpoints").json(&body)).await.answer.expect(201);
        endpoints.push(created["endpoint"]["endpoint_id"].as_str().expect("an id").to_owned());
    }
    stage.publish().await;
    stage.send(&partner.call("DELETE", &format!("/endpoints/{}", endpoints[2]))).await.answer.expect(200);
    // The challenge of each endpoint, and between them a ticket for a missing delivery.
    let challenges = stage.mailbox().take(usize::MAX);
    let of = |id: &String| challenges.iter().find(|text| text.contains(id.as_str())).expect("a challenge").clone();
    let nobodys = tickets(1).remove(0).to_text();
    let batch = [nobodys, of(&endpoints[0]), "none".to_owned(), of(&endpoints[2]), of(&endpoints[1])];
    // No name can be resolved here, so every attempt fails and is retried.
    for (pass, attempt) in [(0, 1), (1_500, 1), (4_500, 2)] {
        stage.clock().advance_millis(pass);
        let batch = lambda_events::of_queue(&batch, stage.clock().now());
        let answer = stage.run("deliver-webhook", batch.to_string().as_bytes()).await;
        let (mut seconds, mut failed) = (BTreeMap::new(), Vec::new());
        for (endpoint, at) in [(&endpoints[0], 1), (&endpoints[1], 4)] {
            let log = partner.call("GET", &format!("/endpoints/{endpoint}/deliveries"));
            let delivery = stage.send(&log).await.answer.expect(200)["items"][0].clone();
            assert_eq!((&delivery["state"], &delivery["attempt"]), (&json!("pending"), &json!(attempt)));
            let next_at = Timestamp::parse(delivery["next_at"].as_str().expect("a time")).expect("a time");
            let wait = next_at.millis() - stage.clock().now().millis();
            let record = &batch["Records"][at];
            seconds.insert(
                record["receiptHandle"].as_str().expect("a receipt").to_owned(),
                wait.unsigned_abs().div_ceil(1000),
            );
            failed.push(json!({"itemIdentifier": record["messageId"]}));
        }
        assert_eq!(answer, json!({"batchItemFailures": failed}));
        assert_eq!(put_back.take(), seconds, "after {pass} ms");
    }
}
