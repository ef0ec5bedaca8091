//! The queue in Amazon SQS.

use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use aws_sdk_sqs::{Client, Config as SdkConfig};

use super::interface::{LONGEST_POSTPONEMENT, Queue, QueueError, Queued};
use super::ticket::Ticket;
use crate::aws::{self, CONNECT_TIMEOUT};

/// The most messages of one `SendMessageBatch`.
const BATCH: usize = 10;

pub struct Sqs {
    client: Client,
    url: String,
}

impl Sqs {
    /// Tests pass their own HTTP client, to see and change what is sent.
    pub fn new(service: &aws::Service, url: String, http: SharedHttpClient) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(Duration::from_secs(3))
            .operation_timeout(Duration::from_secs(8));
        let mut sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(service.region.clone()))
            .use_fips(service.fips)
            .credentials_provider(service.credentials.to_sdk())
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
                let entries = entries.map_err(|error| QueueError::Failed { source_text: error.to_string() })?;
                let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
                let sent = call.send().await.map_err(|error| from_sdk(&error))?;
                if let Some(first) = sent.failed.first() {
                    let (rejected, sent) = (sent.failed.len(), batch.len());
                    return Err(QueueError::Rejected { rejected, sent, code: first.code.clone() });
                }
            }
            Ok(())
        })
    }

    fn postpone<'a>(&'a self, receipt: &'a str, wait: Duration) -> Queued<'a> {
        Box::pin(async move {
            // Rounded up: a ticket that arrives a moment too early would be postponed by zero seconds, again and again.
            let seconds = wait.min(LONGEST_POSTPONEMENT).as_millis().div_ceil(1000);
            let seconds = seconds.try_into().unwrap_or(i32::MAX);
            let call = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
            call.visibility_timeout(seconds).send().await.map(drop).map_err(|error| from_sdk(&error))
        })
    }
}

/// The message group makes the queue fair: if one endpoint has many tickets in flight, those of others come first.
fn entry((at, ticket): (usize, &Ticket)) -> Result<SendMessageBatchRequestEntry, aws_sdk_sqs::error::BuildError> {
    let entry = SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(ticket.to_text());
    entry.message_group_id(ticket.endpoint_id.as_str()).build()
}

fn from_sdk(error: &(impl std::error::Error + Send + Sync)) -> QueueError {
    QueueError::Failed { source_text: DisplayErrorContext(error).to_string() }
}
