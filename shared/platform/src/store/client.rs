//! The DynamoDB client of every function: one TLS stack, no default configuration chain, retries and time limits ours.

use std::time::Duration;

use super::keys;
use super::write::key_item;
use crate::aws::{self, CONNECT_TIMEOUT};
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedHttpClient, StalledStreamProtectionConfig, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::{Client, Config as SdkConfig};

/// How long a new process may wait for its first connection.
const OPENING: Duration = Duration::from_secs(1);

/// A client for the table.
pub fn connect(service: &aws::Service, http: SharedHttpClient) -> Client {
    let credentials = Credentials::from(&service.credentials);
    let mut sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(service.region.clone()))
        .credentials_provider(credentials)
        .http_client(http)
        // The store retries by itself: only it knows what a refusal means and how old a write may be.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(endpoint) = &service.endpoint {
        sdk = sdk.endpoint_url(endpoint);
    }
    Client::from_conf(sdk.build())
}

/// Opens the connection, so that the first request need not wait for it: the platform gives a starting function time and
/// processor that it does not give a request. It reads an access key that can't exist, which every function that knows
/// its callers may; what comes of it does not matter, requests find out by themselves.
pub async fn open(client: &Client, table: &str) {
    let call = client.get_item().table_name(table).set_key(Some(key_item(&keys::no_access_key()))).send();
    let opened = tokio::time::timeout(OPENING, call).await;
    tracing::debug!(answered = matches!(opened, Ok(Ok(_))), "connected to the table");
}
