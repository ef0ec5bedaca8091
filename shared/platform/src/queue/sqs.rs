//! The queue in Amazon SQS.

use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use aws_sdk_sqs::{Client, Config as SdkConfig};

use super::{LONGEST_POSTPONEMENT, Queue, QueueError, Queued, Ticket};
use crate::aws::{self, CONNECT_TIMEOUT};

/// The most messages of one `SendMessageBatch`.
const BATCH: usize = 10;

/// A queue by its URL.
pub struct Sqs {
    client: Client,
    url: String,
}

impl Sqs {
    /// The queue at this URL. Tests pass an HTTP client of their own to see and change what is sent.
    pub fn new(service: &aws::Service, url: String, http: SharedHttpClient) -> Self {
        let credentials = Credentials::from(&service.credentials);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(Duration::from_secs(3))
            .operation_timeout(Duration::from_secs(8));
        let mut sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(service.region.clone()))
            .credentials_provider(credentials)
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(timeouts.build());
        if let Some(endpoint) = &service.endpoint {
            sdk = sdk.endpoint_url(endpoint);
        }
        Self { client: Client::from_conf(sdk.build()), url }
    }
}

impl Queue for Sqs {
    fn send(&self, tickets: Vec<Ticket>) -> Queued<'_> {
        Box::pin(async move {
            for batch in tickets.chunks(BATCH) {
                let entries: Result<Vec<_>, _> = batch.iter().enumerate().map(entry).collect();
                let entries = entries.map_err(|error| QueueError(error.to_string()))?;
                let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
                let sent = call.send().await.map_err(|error| failed(&error))?;
                if let Some(first) = sent.failed.first() {
                    return Err(QueueError(format!(
                        "{} of {} refused: {}",
                        sent.failed.len(),
                        batch.len(),
                        first.code
                    )));
                }
            }
            Ok(())
        })
    }

    fn postpone<'a>(&'a self, receipt: &'a str, wait: Duration) -> Queued<'a> {
        Box::pin(async move {
            // Rounded up: what comes a moment too early would be put back for no time at all, again and again.
            let seconds = wait.min(LONGEST_POSTPONEMENT).as_millis().div_ceil(1000);
            let seconds = seconds.try_into().unwrap_or(i32::MAX);
            let call = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
            call.visibility_timeout(seconds).send().await.map(drop).map_err(|error| failed(&error))
        })
    }
}

/// The group makes the queue a fair one: while many tickets of one endpoint are under way, those of others come first.
fn entry((at, ticket): (usize, &Ticket)) -> Result<SendMessageBatchRequestEntry, aws_sdk_sqs::error::BuildError> {
    let entry = SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(ticket.to_text());
    entry.message_group_id(ticket.endpoint_id.as_str()).build()
}

fn failed(error: &(impl std::error::Error + Send + Sync)) -> QueueError {
    QueueError(DisplayErrorContext(error).to_string())
}
