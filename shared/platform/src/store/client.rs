//! The DynamoDB client: one TLS stack, no default configuration chain, no retries of its own.

use std::time::Duration;

use super::item::key_item;
use super::keys;
use crate::aws::{self, CONNECT_TIMEOUT};
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Region, SharedHttpClient, StalledStreamProtectionConfig, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::{Client, Config as SdkConfig};

/// How long a new process may wait for its first connection.
const OPENING: Duration = Duration::from_secs(1);

pub fn connect(service: &aws::Service, http: SharedHttpClient) -> Client {
    let mut sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(service.region.clone()))
        .use_fips(service.fips)
        .credentials_provider(service.credentials.to_sdk())
        .http_client(http)
        // The store itself retries, because it knows what a failed condition means and how old a write may be.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(endpoint) = &service.endpoint {
        sdk = sdk.endpoint_url(endpoint);
    }
    Client::from_conf(sdk.build())
}

/// Opens the connection before the first request, since a starting function has more CPU time than a request. It reads an
/// access key that never exists. The result does not matter: the function that signs in may not read access keys.
pub async fn open(client: &Client, table: &str) {
    let call = client.get_item().table_name(table).set_key(Some(key_item(&keys::no_access_key()))).send();
    let opened = tokio::time::timeout(OPENING, call).await;
    tracing::debug!(answered = matches!(opened, Ok(Ok(_))), "connected to the table");
}
