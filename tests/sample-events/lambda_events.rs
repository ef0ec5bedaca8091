//! Events that AWS sends to jobs: from the scheduler, the table's stream and the queue.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::{BASE64, HEXLOWER};
use domain::{Timestamp, digest};
use platform::store::Item;
use platform::store::keys::{PK, SK};
use serde_json::{Value, json};

use super::TIME;

const ACCOUNT: &str = "000000000000";
const REGION: &str = "eu-west-1";

#[derive(Clone, Debug)]
pub enum Change {
    /// A new item.
    Insert(Item),
    /// The old and the new item.
    Modify(Item, Item),
    /// The table deleted an expired item.
    Expire(Item),
}

/// The event of a schedule.
pub fn of_schedule() -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": TIME,
        "region": REGION,
        "resources": [format!("arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/sample")],
        "detail": "{}",
    })
}

/// A batch of the table's stream.
pub fn of_stream(changes: &[Change], now: Timestamp) -> Value {
    let records = changes.iter().enumerate().map(|(at, change)| of_change(at, change, now));
    json!({"Records": records.collect::<Vec<_>>()})
}

fn of_change(at: usize, kind: &Change, now: Timestamp) -> Value {
    let (name, old, new) = match kind {
        Change::Insert(new) => ("INSERT", None, Some(new)),
        Change::Modify(old, new) => ("MODIFY", Some(old), Some(new)),
        Change::Expire(old) => ("REMOVE", Some(old), None),
    };
    let item = old.or(new).expect("an image");
    let keys = json!({PK: wire(&item[PK]), SK: wire(&item[SK])});
    let mut change = json!({
        "ApproximateCreationDateTime": now.seconds(),
        "Keys": keys,
        "SequenceNumber": format!("44215845000000000174504{at:05}"),
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    });
    for (name, image) in [("OldImage", old), ("NewImage", new)] {
        if let Some(image) = image {
            change[name] = of_item(image);
        }
    }
    change["SizeBytes"] = json!(change.to_string().len());
    let mut record = json!({
        "eventID": HEXLOWER.encode(&digest("sample record", &[&at.to_be_bytes()])[..16]),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": change,
        "eventSourceARN": format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/sample/stream/2026-11-22T11:00:00.000"),
    });
    if matches!(kind, Change::Expire(_)) {
        record["userIdentity"] = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
    }
    record
}

/// A batch of the queue. Each message is received for the first time.
pub fn of_queue(texts: &[String], now: Timestamp) -> Value {
    let record = |(at, text): (usize, &String)| {
        let hash = digest("sample message", &[&at.to_be_bytes(), text.as_bytes()]);
        let hex = HEXLOWER.encode(&hash);
        json!({
            "messageId": format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32]),
            "receiptHandle": BASE64.encode(&[hash, hash].concat()),
            "body": text,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": now.millis().to_string(),
                "SenderId": "AROASAMPLE0000000000:PublishEvents",
                "ApproximateFirstReceiveTimestamp": now.millis().to_string(),
            },
            "messageAttributes": {},
            // A placeholder: Lambda functions do not check it.
            "md5OfBody": &hex[32..],
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:sample"),
            "awsRegion": REGION,
        })
    };
    json!({"Records": texts.iter().enumerate().map(record).collect::<Vec<_>>()})
}

/// An item in DynamoDB's JSON.
fn of_item(item: &Item) -> Value {
    item.iter().map(|(name, value)| (name.clone(), wire(value))).collect::<BTreeMap<_, _>>().into_iter().collect()
}

fn wire(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::B(bytes) => json!({"B": BASE64.encode(bytes.as_ref())}),
        AttributeValue::Bool(value) => json!({"BOOL": value}),
        AttributeValue::L(items) => json!({"L": items.iter().map(wire).collect::<Vec<_>>()}),
        AttributeValue::M(members) => json!({"M": of_item(members)}),
        other => panic!("unexpected attribute {other:?}"),
    }
}
