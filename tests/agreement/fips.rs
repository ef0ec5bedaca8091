//! Which endpoints of AWS the functions call.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use local::table_config;
use platform::aws::Service;
use platform::queue::Queue;
use platform::queue::sqs::Sqs;
use platform::store::client;

use crate::deployment::Deployment;

/// An HTTP client that notes the host of each request and sends nothing.
#[derive(Clone, Debug, Default)]
struct Hosts(Arc<Mutex<Vec<String>>>);

impl HttpClient for Hosts {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Hosts {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let host = request.uri().split('/').nth(2).expect("a host").to_owned();
        self.0.lock().expect("hosts").push(host);
        HttpConnectorFuture::ready(Err(ConnectorError::user("nothing is sent".into())))
    }
}

/// The hosts of the table and of the queue.
async fn hosts(region: &str, fips: bool) -> Vec<String> {
    let hosts = Hosts::default();
    let service = Service { region: region.to_owned(), endpoint: None, fips, ..table_config().dynamodb };
    client::open(&client::connect(&service, SharedHttpClient::new(hosts.clone())), "table").await;
    let queue = format!("https://sqs.{region}.amazonaws.com/1/queue");
    let sent = Sqs::new(&service, queue, SharedHttpClient::new(hosts.clone()));
    sent.postpone("receipt", std::time::Duration::ZERO).await.expect_err("nothing is sent");
    let mut seen = hosts.0.lock().expect("hosts").clone();
    seen.dedup();
    seen
}

#[tokio::test]
async fn functions_call_fips_endpoints_only_on_request() {
    for (region, fips, table, queue) in [
        ("us-east-1", false, "dynamodb.us-east-1.amazonaws.com", "sqs.us-east-1.amazonaws.com"),
        ("us-east-1", true, "dynamodb-fips.us-east-1.amazonaws.com", "sqs-fips.us-east-1.amazonaws.com"),
        // In GovCloud the usual endpoints are FIPS endpoints.
        ("us-gov-west-1", true, "dynamodb.us-gov-west-1.amazonaws.com", "sqs.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", false, "dynamodb.cn-north-1.amazonaws.com.cn", "sqs.cn-north-1.amazonaws.com.cn"),
    ] {
        assert_eq!(hosts(region, fips).await, [table, queue], "{region} {fips}");
    }
}

#[test]
fn fips_endpoints_and_other_endpoints_exclude_each_other() {
    for (fips, endpoint, accepted) in
        [("true", "", true), ("true", "http://emulator:1", false), ("false", "http://emulator:1", true)]
    {
        for parameter in ["DynamoDbEndpoint", "SqsEndpoint"] {
            let deployment = Deployment::with(&[("UseFipsEndpoints", fips), (parameter, endpoint)]);
            assert_eq!(deployment.broken_rules().is_empty(), accepted, "{fips} {parameter}={endpoint}");
            for function in deployment.functions() {
                assert_eq!(function.properties["Environment"]["Variables"]["AWS_USE_FIPS_ENDPOINT"], fips);
            }
        }
    }
}
