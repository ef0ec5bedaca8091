//! The way of a webhook through the deployment: stream, queue, dead letters and alarms; and what the real SDK sends to the
//! queue.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use local::courier::queue::VISIBILITY;
use local::courier::{QUEUE_BATCH, STREAM_BATCH};
use local::table_config;
use serde_json::{Value, json};
use shared::config::Config;
use shared::domain::{EndpointId, MessageId, Owner, PartnerId, digest};
use shared::outbound::Settings;
use shared::queue::sqs::Sqs;
use shared::queue::{LONGEST_POSTPONEMENT, Queue, Ticket};
use shared::store::keys::{GSI3_PK, OUTBOX};
use tests::sample_events::{Mailbox, Stage, play};

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
fn the_stream_loses_nothing_and_one_bad_record_stops_nobody() {
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

/// The one pattern of the stream's mapping.
fn filter() -> Value {
    let filters = mapping("publish-events", "DynamoDB")["FilterCriteria"]["Filters"].clone();
    assert_eq!(filters.as_array().map(Vec::len), Some(1));
    serde_json::from_str(filters[0]["Pattern"].as_str().expect("a pattern")).expect("JSON")
}

#[tokio::test]
async fn the_stream_calls_for_what_is_marked_and_for_nothing_else() {
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
fn the_queue_brings_batches_of_which_a_part_may_fail() {
    assert_eq!(
        mapping("deliver-webhook", "SQS"),
        json!({
            "Queue": arn("WebhookQueue"), "BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 20},
        })
    );
}

#[test]
fn the_local_run_has_the_batches_and_the_visibility_of_the_template() {
    assert_eq!(mapping("publish-events", "DynamoDB")["BatchSize"], STREAM_BATCH);
    assert_eq!(mapping("deliver-webhook", "SQS")["BatchSize"], QUEUE_BATCH);
    assert_eq!(queue("WebhookQueue")["VisibilityTimeout"], VISIBILITY.as_secs());
}

#[test]
fn no_ticket_comes_again_while_its_attempt_may_still_run() {
    let timeout = Duration::from_secs(function("deliver-webhook").properties["Timeout"].as_u64().expect("seconds"));
    assert!(timeout >= Settings::default().total + Duration::from_secs(10), "no time to write down what came of it");
    // As AWS wants it of a mapping.
    assert!(VISIBILITY >= 6 * timeout);
    assert!(LONGEST_POSTPONEMENT < Duration::from_secs(12 * 3_600), "no queue puts back for longer");
}

#[test]
fn queues_keep_what_is_in_them_as_long_as_they_can_and_encrypted() {
    for id in ["WebhookQueue", "WebhookDeadLetters", "StreamDeadLetters"] {
        let queue = queue(id);
        assert_eq!(
            (&queue["MessageRetentionPeriod"], &queue["SqsManagedSseEnabled"]),
            (&json!(1_209_600), &json!(true))
        );
        assert_eq!(queue.get("QueueName"), None, "a name of its own could not be replaced, nor deployed twice");
    }
    let redrive = json!({"deadLetterTargetArn": arn("WebhookDeadLetters"), "maxReceiveCount": 1000});
    assert_eq!(queue("WebhookQueue")["RedrivePolicy"], redrive);
}

#[test]
fn what_nobody_would_see_has_an_alarm() {
    let deployment = Deployment::read();
    let alarm = |(_, alarm): (&str, &Value)| {
        let of = &alarm["Properties"];
        assert_eq!(
            (&of["ComparisonOperator"], &of["TreatMissingData"]),
            (&json!("GreaterThanThreshold"), &json!("notBreaching"))
        );
        assert!(of["AlarmDescription"].is_string());
        let metric = of["MetricName"].as_str().expect("a metric").to_owned();
        let of_what = of["Dimensions"][0]["Value"].as_str().unwrap_or_default().to_owned();
        (metric, of_what, of["Statistic"].as_str().expect("a statistic").to_owned(), of["Threshold"].as_u64())
    };
    let alarms: BTreeSet<_> = deployment.resources("AWS::CloudWatch::Alarm").map(alarm).collect();
    let expected = [
        ("IteratorAge", "PublishEvents", "Maximum", 60_000),
        ("ApproximateNumberOfMessagesVisible", "StreamDeadLetters", "Maximum", 0),
        ("ApproximateNumberOfMessagesVisible", "WebhookDeadLetters", "Maximum", 0),
        ("ApproximateNumberOfMessagesNotVisible", "WebhookQueue", "Maximum", 80_000),
        ("Poison", "", "Sum", 0),
    ];
    let expected =
        expected.map(|(metric, of, how, most)| (metric.to_owned(), of.to_owned(), how.to_owned(), Some(most)));
    assert_eq!(alarms, expected.into());
}

#[test]
fn poison_is_counted_in_both_logs_under_the_name_that_its_alarm_looks_for() {
    let deployment = Deployment::read();
    let (_, alarm) = deployment.resources("AWS::CloudWatch::Alarm").find(|(id, _)| *id == "Poison").expect("an alarm");
    let counted = json!([{
        "MetricNamespace": alarm["Properties"]["Namespace"], "MetricName": alarm["Properties"]["MetricName"],
        "MetricValue": "1",
    }]);
    let mut logs = BTreeSet::new();
    for (_, filter) in deployment.resources("AWS::Logs::MetricFilter") {
        let filter = &filter["Properties"];
        assert_eq!(filter["FilterPattern"], "{ $.poison IS TRUE }");
        assert_eq!(filter["MetricTransformations"], counted);
        logs.insert(filter["LogGroupName"].as_str().expect("a log").to_owned());
    }
    assert_eq!(logs, ["DeliverWebhookLog", "PublishEventsLog"].map(str::to_owned).into());
}

/// The real queue of the functions, over one in memory.
fn sqs(mailbox: &Mailbox) -> Sqs {
    let config = Config { queue_url: "https://sqs.us-east-1.amazonaws.com/1/q".into(), ..table_config(None) };
    Sqs::over(&config, SharedHttpClient::new(mailbox.clone()))
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
async fn more_than_ten_tickets_go_in_batches_of_ten() {
    let mailbox = Mailbox::default();
    let tickets = tickets(23);
    sqs(&mailbox).send(tickets.clone()).await.expect("it sends");
    assert_eq!(mailbox.batches(), [10, 10, 3]);
    let arrived: Vec<_> = mailbox.take(99).iter().map(|text| Ticket::parse(text).expect("a ticket")).collect();
    assert_eq!(arrived, tickets);
    sqs(&mailbox).send(Vec::new()).await.expect("nothing is sent");
    assert_eq!(mailbox.batches().len(), 3);
}

#[tokio::test]
async fn a_batch_of_which_a_part_is_refused_is_an_error() {
    let mailbox = Mailbox::default();
    mailbox.refuse("4");
    let error = sqs(&mailbox).send(tickets(7)).await.expect_err("one is refused");
    assert!(error.to_string().contains("1 of 7") && error.to_string().contains("InternalError"), "{error}");
    assert_eq!(mailbox.take(99).len(), 6, "the others are in it, which harms nobody");
}

#[tokio::test]
async fn a_ticket_is_put_back_for_whole_seconds_and_at_most_a_quarter_of_an_hour() {
    let mailbox = Mailbox::default();
    for wait in [Duration::from_millis(1_900), Duration::from_secs(86_400)] {
        sqs(&mailbox).postpone("receipt", wait).await.expect("it is put back");
    }
    assert_eq!(mailbox.postponed(), [2, 900]);
}

#[tokio::test]
async fn each_delivery_that_has_to_wait_is_put_back_and_reported() {
    let stage = Stage::start(None).await;
    play(&stage).await;
    // No name leads anywhere on this stage, so that every attempt fails and has to be made again; whatever was reported as
    // not done is in the queue again. What is not due yet at its second ticket is put back, too.
    let (postponed, waiting) = (stage.mailbox().postponed(), stage.mailbox().take(usize::MAX));
    assert!(postponed.len() == 4 && waiting.len() >= 4, "{postponed:?}, {waiting:?}");
}

/// What this process logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("lines").extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The log of the whole process, in the form of `shared::lambda`: one of a single thread misses what other threads came
    /// across first.
    fn start() -> Self {
        let log = Self::default();
        let writer = log.clone();
        let format = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false);
        format.with_span_list(false).with_target(false).with_writer(move || writer.clone()).init();
        log
    }

    /// How many lines with this text the filter of the alarm finds, and how many there are.
    fn poisonous(&self, text: &str) -> (usize, usize) {
        let lines = String::from_utf8(self.0.lock().expect("lines").clone()).expect("text");
        let lines = lines.lines().filter(|line| line.contains(text));
        let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).expect("JSON")).collect();
        (lines.iter().filter(|line| line["poison"] == true).count(), lines.len())
    }
}

#[tokio::test]
async fn both_jobs_tell_of_poison_as_the_filter_of_its_alarm_looks_for_it() {
    let log = Log::start();
    let stage = Stage::start(None).await;
    let ticket = json!({"Records": [{"messageId": "nobodys-ticket", "body": "none"}]});
    stage.run("deliver-webhook", ticket.to_string().as_bytes()).await;
    assert_eq!(log.poisonous("nobodys-ticket"), (1, 1));
    let nameless = json!({"Records": [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": "000nameless"}}]});
    stage.run("publish-events", nameless.to_string().as_bytes()).await;
    assert_eq!(log.poisonous("000nameless"), (1, 1));
    // Nothing else is taken for it.
    stage.run("publish-events", b"{}").await;
    let (poisonous, all) = log.poisonous("\"report\"");
    assert!(poisonous == 0 && all > 0);
}
