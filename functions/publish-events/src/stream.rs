//! Batches of the table's stream. Only the keys in a record are used, and the item is read again. So a record that comes twice,
//! late or out of order finds an item without a mark and does nothing.

use platform::lambda::JobError;
use serde_json::{Value, json};

use crate::publish::publish as publish_item;
use crate::run::Run;

enum Record<'a> {
    /// An item was written.
    Written { pk: &'a str, sk: &'a str },
    /// The table removed an item whose time to live was over.
    Removed,
    /// The record has no key of an item.
    Unreadable,
}

impl<'a> Record<'a> {
    fn parse(record: &'a Value) -> Self {
        if record["eventName"] == "REMOVE" {
            return Self::Removed;
        }
        // A key of another length would fail the read of the whole batch.
        let possible = |key: &&str| (1..=1024).contains(&key.len());
        let key = |name: &str| record["dynamodb"]["Keys"][name]["S"].as_str().filter(possible);
        match (key("pk"), key("sk")) {
            (Some(pk), Some(sk)) => Self::Written { pk, sk },
            _ => Self::Unreadable,
        }
    }

    fn key(&self) -> Option<(String, String)> {
        match self {
            Self::Written { pk, sk } => Some(((*pk).to_owned(), (*sk).to_owned())),
            Self::Removed | Self::Unreadable => None,
        }
    }
}

/// Publishes a batch in its order. Items that can never be published are noted and skipped. At the first error that may pass,
/// it stops and reports the record from which Lambda must send the batch again.
pub(crate) async fn publish(mut run: Run<'_>, records: &[Value]) -> Result<Value, JobError> {
    let keys: Vec<(String, String)> = records.iter().filter_map(|record| Record::parse(record).key()).collect();
    let mut marked = run.publisher.store.marked(run.op(), &keys).await?.into_iter();
    for record in records {
        let published = match Record::parse(record) {
            Record::Removed => Ok(()),
            Record::Unreadable => run.reject_record(record).await,
            Record::Written { .. } => match marked.next().flatten() {
                Some(_) if !run.budget.is_left() => Err(JobError::OutOfTime),
                Some(marked) => publish_item(&mut run, &marked).await,
                None => Ok(()),
            },
        };
        if let Err(error) = published {
            return retry_from(record, error);
        }
    }
    Ok(json!({"batchItemFailures": []}))
}

/// The response that makes Lambda send the batch again from this record. Without a sequence number, the whole batch fails.
fn retry_from(record: &Value, error: JobError) -> Result<Value, JobError> {
    match record["dynamodb"]["SequenceNumber"].as_str().filter(|number| !number.is_empty()) {
        Some(number) => {
            tracing::warn!(number, %error, "the batch is retried from this record");
            Ok(json!({"batchItemFailures": [{"itemIdentifier": number}]}))
        }
        None => Err(error),
    }
}
