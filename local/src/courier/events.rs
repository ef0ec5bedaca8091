//! The events by which the platform calls the two functions.

use platform::store::Marked;
use serde_json::{Value, json};

use super::message::Received;

/// A batch of the table's stream, with one record per item.
pub(super) fn of_stream<'a>(items: impl IntoIterator<Item = &'a Marked>) -> Value {
    let record = |(at, marked): (usize, &Marked)| {
        let (pk, sk) = marked.key();
        json!({
            "eventID": format!("{at:032x}"),
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "Keys": {"pk": {"S": pk}, "sk": {"S": sk}},
                "SequenceNumber": format!("{at:021}"),
                "SizeBytes": 1,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        })
    };
    json!({"Records": items.into_iter().enumerate().map(record).collect::<Vec<_>>()})
}

/// A batch of the queue.
pub(super) fn of_queue(received: &[Received]) -> Value {
    let record = |received: &Received| {
        json!({
            "messageId": received.id,
            "receiptHandle": received.receipt,
            "body": received.body,
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "awsRegion": "us-east-1",
        })
    };
    json!({"Records": received.iter().map(record).collect::<Vec<_>>()})
}

/// The ids that a response reports as failed.
pub(super) fn failed(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().map(Vec::as_slice).unwrap_or_default();
    failures.iter().filter_map(|failure| failure["itemIdentifier"].as_str()).collect()
}
