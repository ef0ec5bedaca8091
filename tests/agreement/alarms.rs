//! Alarms: each function and schedule has its own, each notifies the topic, each is documented, and the code writes the log
//! lines that the metric filters read.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{InvitationId, PartnerId, Timestamp, digest};
use platform::clock::Clock;
use platform::store::Item;
use platform::store::keys::{self, Key, Listed, Mark};
use serde_json::{Value, json};
use tests::Partner;
use tests::sample_events::Stage;

use crate::calls::Calls;
use crate::deployment::{Deployment, Function};
use crate::policy::of_functions;
use crate::story;
use crate::webhooks::partner;

const DOCUMENT: &str = include_str!("../../docs/deploy.md");
const OWN: &str = "Multipartner/multipartner";

fn alarms(deployment: &Deployment) -> BTreeMap<&str, &Value> {
    deployment.resources("AWS::CloudWatch::Alarm").map(|(id, alarm)| (id, &alarm["Properties"])).collect()
}

/// Namespace, metric, name of the dimension, its value, statistic, comparison, threshold, missing data.
type Watched = [String; 8];

fn watched(alarm: &Value) -> Watched {
    let dimension = &alarm["Dimensions"][0];
    let parts = [
        &alarm["Namespace"],
        &alarm["MetricName"],
        &dimension["Name"],
        &dimension["Value"],
        &alarm["Statistic"],
        &alarm["ComparisonOperator"],
        &alarm["Threshold"],
        &alarm["TreatMissingData"],
    ];
    parts.map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
}

fn above(namespace: &str, metric: &str, dimension: [&str; 2], statistic: &str, threshold: u32) -> Watched {
    let [name, value] = dimension;
    let threshold = threshold.to_string();
    [namespace, metric, name, value, statistic, "GreaterThanThreshold", &threshold, "notBreaching"].map(str::to_owned)
}

#[test]
fn each_function_has_an_alarm_for_errors_and_one_for_throttles() {
    let deployment = Deployment::read();
    let alarms = alarms(&deployment);
    for function in deployment.functions() {
        for metric in ["Errors", "Throttles"] {
            let alarm = alarms.get(format!("{}{metric}", function.id).as_str());
            let alarm = alarm.unwrap_or_else(|| panic!("{} has no alarm {metric}", function.id));
            let expected = above("AWS/Lambda", metric, ["FunctionName", &function.id], "Sum", 0);
            assert_eq!(watched(alarm), expected, "{}", function.id);
        }
    }
}

#[test]
fn the_api_table_queue_and_outbox_have_alarms() {
    let deployment = Deployment::read();
    let alarms = alarms(&deployment);
    let (none, table) = (["null", "null"], ["TableName", "Table"]);
    for (id, expected) in [
        ("ApiServerErrors", above("AWS/ApiGateway", "5xx", ["ApiId", "Api"], "Sum", 5)),
        ("ApiClientErrors", above("AWS/ApiGateway", "4xx", ["ApiId", "Api"], "Sum", 1000)),
        ("TableConflicts", above("AWS/DynamoDB", "TransactionConflict", table, "Sum", 300)),
        ("StreamIsLate", above("AWS/Lambda", "IteratorAge", ["FunctionName", "PublishEvents"], "Maximum", 60_000)),
        ("StreamHasDeadLetters", of_queue("ApproximateNumberOfMessagesVisible", "StreamDeadLetters", 0)),
        ("WebhooksHaveDeadLetters", of_queue("ApproximateNumberOfMessagesVisible", "WebhookDeadLetters", 0)),
        ("ManyWebhooksWait", of_queue("ApproximateNumberOfMessagesNotVisible", "WebhookQueue", 80_000)),
        ("QueueIsLate", of_queue("ApproximateAgeOfOldestMessage", "WebhookQueue", 3_600)),
        ("OutboxIsLate", above(OWN, "OldestMarkSeconds", none, "Maximum", 600)),
        ("Poison", above(OWN, "Poison", none, "Sum", 0)),
        ("NewerItems", above(OWN, "NewerItems", none, "Sum", 0)),
    ] {
        assert_eq!(watched(alarms[id]), expected, "{id}");
    }
}

fn of_queue(metric: &str, queue: &str, threshold: u32) -> Watched {
    above("AWS/SQS", metric, ["QueueName", queue], "Maximum", threshold)
}

/// The operations that the functions call, from the calls that they make.
fn operations(calls: &Calls) -> BTreeSet<String> {
    let calls = calls.values().flatten().filter(|call| call.action.starts_with("dynamodb:"));
    let operation = |action: &str| action.trim_start_matches("dynamodb:").to_owned();
    calls.map(|call| call.enclosing.clone().unwrap_or_else(|| operation(&call.action))).collect()
}

#[tokio::test]
async fn throttling_of_every_operation_on_the_table_raises_an_alarm() {
    let deployment = Deployment::read();
    let mut seen = BTreeSet::new();
    for (id, alarm) in alarms(&deployment) {
        if alarm["MetricName"] == "ThrottledRequests" {
            assert_eq!(
                watched(alarm),
                above("AWS/DynamoDB", "ThrottledRequests", ["TableName", "Table"], "Sum", 0),
                "{id}"
            );
            assert_eq!(alarm["Dimensions"][1]["Name"], "Operation", "{id}");
            seen.insert(alarm["Dimensions"][1]["Value"].as_str().expect("an operation").to_owned());
        }
    }
    assert_eq!(seen, operations(story::calls().await));
}

/// The minutes between two runs of a function's schedule.
fn interval(function: &Function) -> Option<u64> {
    let schedule = function.events.values().find(|event| event["Type"] == "ScheduleV2")?;
    let rate = schedule["Properties"]["ScheduleExpression"].as_str().expect("a rate");
    rate.strip_prefix("rate(")?.split(' ').next()?.parse().ok()
}

#[test]
fn each_schedule_has_an_alarm_that_fires_when_its_runs_are_missing() {
    let deployment = Deployment::read();
    let alarms = alarms(&deployment);
    let functions = deployment.functions();
    let scheduled: Vec<_> = functions.iter().filter_map(|function| Some((function, interval(function)?))).collect();
    assert_eq!(scheduled.len(), 2);
    for (function, minutes) in scheduled {
        let alarm = alarms[format!("{}IsMissing", function.id).as_str()];
        let metric = format!("{}Runs", function.id);
        let expected = [OWN, &metric, "null", "null", "Sum", "LessThanThreshold", "1", "breaching"].map(str::to_owned);
        assert_eq!(watched(alarm), expected);
        // One late or lost run raises no alarm.
        assert!(alarm["Period"].as_u64() >= Some(3 * 60 * minutes), "{}", function.id);
        let filter = filters(&deployment).into_iter().find(|filter| filter.metric == metric).expect("a filter");
        assert_eq!(
            (filter.log, filter.pattern),
            (format!("{}Log", function.id), Pattern::is("heartbeat", &function.name))
        );
    }
}

#[test]
fn every_alarm_notifies_the_topic_when_it_begins_and_ends() {
    let topic = "arn:aws:sns:eu-west-1:000000000000:alarms";
    let (silent, loud) = (Deployment::read(), Deployment::with(&[("AlarmTopicArn", topic)]));
    for (id, alarm) in alarms(&loud) {
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions], json!([topic]), "{id}");
            assert_eq!(alarms(&silent)[id].get(actions), None, "{id}");
        }
        assert!(alarm["AlarmDescription"].as_str().is_some_and(|text| text.ends_with('.')), "{id}");
    }
}

#[test]
fn every_alarm_is_in_the_table_of_the_documentation() {
    let deployment = Deployment::read();
    let functions: Vec<_> = deployment.functions().into_iter().map(|function| function.id).collect();
    for id in alarms(&deployment).keys() {
        // Alarms that every function has are documented once.
        let is_general = |end: &&&str| id.strip_suffix(**end).is_some_and(|of| functions.iter().any(|one| one == of));
        let general = ["Errors", "Throttles"].iter().find(is_general);
        let name = general.map_or(format!("`{id}`"), |end| format!("`…{end}` (each function)"));
        let first_cell = |line: &'static str| line.strip_prefix("| ")?.split(" | ").next();
        assert!(
            DOCUMENT.lines().filter_map(first_cell).any(|alarms| alarms.contains(&name)),
            "{name} is not in docs/deploy.md"
        );
    }
}

/// What a metric filter matches.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    True(String),
    Is(String, String),
    AtLeastZero(String),
}

impl Pattern {
    fn is(member: &str, value: &str) -> Self {
        Self::Is(member.to_owned(), value.to_owned())
    }

    fn parse(text: &str) -> Self {
        let inner = text.strip_prefix("{ $.").and_then(|text| text.strip_suffix(" }"));
        let (member, test) = inner.and_then(|text| text.split_once(' ')).unwrap_or_else(|| panic!("{text}"));
        match test.split_once(' ').expect("an operator") {
            ("IS", "TRUE") => Self::True(member.to_owned()),
            ("=", value) => Self::is(member, value.trim_matches('"')),
            (">=", "0") => Self::AtLeastZero(member.to_owned()),
            _ => panic!("this test can't evaluate {text}"),
        }
    }

    fn member(&self) -> &str {
        match self {
            Self::True(member) | Self::Is(member, _) | Self::AtLeastZero(member) => member,
        }
    }

    fn matches(&self, line: &Value) -> bool {
        match self {
            Self::True(member) => line[member] == true,
            Self::Is(member, value) => line[member] == **value,
            Self::AtLeastZero(member) => line[member].as_f64().is_some_and(|number| number >= 0.0),
        }
    }
}

struct Filter {
    log: String,
    pattern: Pattern,
    metric: String,
    /// `None`: 1 for each line.
    value: Option<String>,
}

fn filters(deployment: &Deployment) -> Vec<Filter> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let read = |(_, filter): (&str, &Value)| {
        let filter = &filter["Properties"];
        let transformed = &filter["MetricTransformations"][0];
        assert_eq!(transformed["MetricNamespace"], OWN);
        let value = text(&transformed["MetricValue"]);
        Filter {
            log: text(&filter["LogGroupName"]),
            pattern: Pattern::parse(&text(&filter["FilterPattern"])),
            metric: text(&transformed["MetricName"]),
            value: (value != "1").then(|| value.trim_start_matches("$.").to_owned()),
        }
    };
    deployment.resources("AWS::Logs::MetricFilter").map(read).collect()
}

#[test]
fn every_own_metric_has_a_filter_and_an_alarm() {
    let deployment = Deployment::read();
    let filtered: BTreeSet<_> = filters(&deployment).into_iter().map(|filter| filter.metric).collect();
    let own = alarms(&deployment).into_values().filter(|alarm| alarm["Namespace"] == OWN);
    let alarming: BTreeSet<_> = own.map(|alarm| alarm["MetricName"].as_str().expect("a metric").to_owned()).collect();
    assert_eq!(filtered, alarming);
}

#[test]
fn each_function_that_uses_the_table_counts_what_it_cannot_read() {
    let deployment = Deployment::read();
    let policies = of_functions(&deployment);
    let filters = filters(&deployment);
    let counting = |metric: &str| -> BTreeSet<_> {
        filters.iter().filter(|one| one.metric == metric).map(|one| one.log.clone()).collect()
    };
    let uses_table = |function: &Function| {
        policies[&function.name].iter().any(|one| one.actions.iter().any(|action| action.starts_with("dynamodb:")))
    };
    let functions = deployment.functions();
    let logs: BTreeSet<_> =
        functions.iter().filter(|one| uses_table(one)).map(|one| format!("{}Log", one.id)).collect();
    assert_eq!(counting("Poison"), logs);
    assert_eq!(counting("NewerItems"), logs);
}

/// The log of this process.
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
    /// Collects the log of the whole process in the format of `platform::lambda`. A log of one thread would miss call sites
    /// that other threads reached first.
    fn start() -> Self {
        let log = Self::default();
        let writer = log.clone();
        let format = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false);
        format.with_span_list(false).with_target(false).with_writer(move || writer.clone()).init();
        log
    }

    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().expect("lines").clone()).expect("text");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The number of lines with this text that match the filter of poison, and the number of all lines with it.
    fn poisonous(&self, text: &str) -> (usize, usize) {
        let lines: Vec<_> = self.lines().into_iter().filter(|line| line.to_string().contains(text)).collect();
        (lines.iter().filter(|line| line["poison"] == true).count(), lines.len())
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// An item that has only its key, a mark and these attributes.
fn marked(key: &Key, mark: &Mark, attributes: &[(&str, &str)]) -> Item {
    let of_mark = [(keys::GSI3_PK, mark.partition.as_str()), (keys::GSI3_SK, &mark.entry)];
    let all =
        [(keys::PK, key.pk.as_str()), (keys::SK, &key.sk)].into_iter().chain(of_mark).chain(attributes.iter().copied());
    all.map(|(name, value)| (name.to_owned(), text(value))).collect()
}

/// An unreadable invitation, in the partner's list and due.
async fn spoil(stage: &Stage, partner: &Partner, now: Timestamp) -> String {
    let id = InvitationId::from_hash(&digest("unreadable", &[]));
    let view = keys::partner_view(&PartnerId::parse(&partner.partner_id).expect("an id"));
    let listed = Listed::Invitation.at(now);
    let in_list = [(keys::GSI1_PK, view.as_str()), (keys::LISTED, &listed)];
    stage.put_item(marked(&keys::invitation(&id), &Mark::due(id.as_str(), now), &in_list)).await;
    id.as_str().to_owned()
}

/// An invitation of a newer format, in the partner's list.
fn of_newer_code(id: &InvitationId, partner: &Partner, now: Timestamp) -> Item {
    let view = keys::partner_view(&PartnerId::parse(&partner.partner_id).expect("an id"));
    let key = keys::invitation(id);
    let listed = Listed::Invitation.at(now);
    let texts =
        [(keys::PK, key.pk.as_str()), (keys::SK, &key.sk), (keys::GSI1_PK, view.as_str()), (keys::LISTED, &listed)];
    let version = ("v".to_owned(), AttributeValue::N("2".to_owned()));
    texts.map(|(name, value)| (name.to_owned(), text(value))).into_iter().chain([version]).collect()
}

/// One test, because a process has one log.
#[tokio::test]
async fn functions_write_the_lines_that_metric_filters_read() {
    let log = Log::start();
    let stage = Stage::start(None).await;
    let northwind = partner(&stage).await;
    // Nothing but a scheduled run finds this item, 54 321 s after its mark.
    let now = stage.clock().now();
    let old = Key { pk: "EVENTS#INVITATION#old".to_owned(), sk: "0000000001".to_owned() };
    stage.put_item(marked(&old, &Mark::outbox(&old, now.plus_millis(-54_321_000)), &[])).await;
    let unreadable = spoil(&stage, &northwind, now).await;
    stage.run("publish-events", b"{}").await;
    stage.run("expire-due", b"{}").await;
    assert!(log.poisonous(&unreadable).0 > 0, "expire-due counts an item that it can't read");

    let before = log.poisonous(&unreadable).0;
    stage.send(&northwind.call("GET", "/invitations")).await;
    assert!(log.poisonous(&unreadable).0 > before, "read counts an item that it can't read");

    let newer = InvitationId::from_hash(&digest("newer", &[]));
    stage.put_item(of_newer_code(&newer, &northwind, now)).await;
    stage.send(&northwind.call("GET", "/invitations")).await;
    let named: Vec<_> = log.lines().into_iter().filter(|line| line.to_string().contains(newer.as_str())).collect();
    assert!(!named.is_empty() && named.iter().all(|line| line["newer"] == true && line.get("poison").is_none()));

    let ticket = json!({"Records": [{"messageId": "unknown-ticket", "body": "none"}]});
    stage.run("deliver-webhook", ticket.to_string().as_bytes()).await;
    assert_eq!(log.poisonous("unknown-ticket"), (1, 1));
    let nameless = json!({"Records": [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": "000nameless"}}]});
    stage.run("publish-events", nameless.to_string().as_bytes()).await;
    assert_eq!(log.poisonous("000nameless"), (1, 1));

    let lines = log.lines();
    for filter in filters(&Deployment::read()) {
        let matched: Vec<_> = lines.iter().filter(|line| filter.pattern.matches(line)).collect();
        assert!(!matched.is_empty(), "nothing writes {}", filter.pattern.member());
        if let Some(value) = filter.value {
            assert!(matched.iter().all(|line| line[&value].is_number()), "{value}");
        }
    }
    // The age is that of the oldest mark.
    assert!(lines.iter().any(|line| line["oldest_mark_seconds"] == 54_321));
}
