//! Records of the table's stream. Only their keys are looked at: what is published is the item as it is now, so a record that
//! comes twice, late or out of order finds that the mark is gone.

use platform::handler::App;
use platform::lambda::{JobError, RunBudget};
use serde_json::{Value, json};

use crate::publish::{Failure, Publisher};

/// What a record tells.
enum Record<'a> {
    /// Something was written here.
    Written { pk: &'a str, sk: &'a str },
    /// Something was removed, by the table itself when its time was over.
    Removed,
    /// It is no record of ours.
    Unreadable,
}

fn read(record: &Value) -> Record<'_> {
    if record["eventName"] == "REMOVE" {
        return Record::Removed;
    }
    // The table would refuse to look for a key that none of its items has, and with it for all the others.
    let possible = |key: &&str| (1..=1024).contains(&key.len());
    let key = |name: &str| record["dynamodb"]["Keys"][name]["S"].as_str().filter(possible);
    match (key("pk"), key("sk")) {
        (Some(pk), Some(sk)) => Record::Written { pk, sk },
        _ => Record::Unreadable,
    }
}

/// Publishes a batch, in its order. What can't be published at all is noted and passed over; at the first failure that may
/// pass it stops, and says from which record on the platform has to call again.
pub(crate) async fn publish(app: &App, time: RunBudget, records: &[Value]) -> Result<Value, JobError> {
    let keys: Vec<(String, String)> = records
        .iter()
        .filter_map(|record| match read(record) {
            Record::Written { pk, sk } => Some((pk.to_owned(), sk.to_owned())),
            _ => None,
        })
        .collect();
    let marked = app.store.marked(time.op(app), &keys).await;
    let mut marked = marked.map_err(|error| JobError(error.to_string()))?.into_iter();
    let mut publisher = Publisher::new(app, time);
    for record in records {
        let published = match read(record) {
            Record::Removed => Ok(()),
            Record::Unreadable => publisher.refuse_record(record).await,
            Record::Written { .. } => match marked.next().flatten() {
                Some(_) if !time.is_left() => Err(Failure("the time is over".into())),
                Some(marked) => publisher.publish(&marked).await,
                None => Ok(()),
            },
        };
        if let Err(Failure(reason)) = published {
            return again_from(record, &reason);
        }
    }
    Ok(json!({"batchItemFailures": []}))
}

/// The answer that makes the platform call again from this record on. Without a number it has to bring the whole batch.
fn again_from(record: &Value, reason: &str) -> Result<Value, JobError> {
    match record["dynamodb"]["SequenceNumber"].as_str().filter(|number| !number.is_empty()) {
        Some(number) => {
            tracing::warn!(number, reason, "the batch comes again from this record on");
            Ok(json!({"batchItemFailures": [{"itemIdentifier": number}]}))
        }
        None => Err(JobError(reason.to_owned())),
    }
}
