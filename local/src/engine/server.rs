//! The engine behind HTTP, for `dynamodb`: AWS clients of other programs call it. It checks no credentials, so it rejects every
//! request that a browser sent for a web page.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, ORIGIN};
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;

use super::{Engine, operations};
use crate::net::{BodyError, Bound, Server, read_body};

/// The media type of every request and response.
const AMZ_JSON: &str = "application/x-amz-json-1.0";
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
/// DynamoDB's limit for a request, in bytes.
const REQUEST_MAX: usize = 16 * 1024 * 1024;
/// Browsers send at least one of these with every request of a page that is not a plain GET.
const OF_BROWSERS: [HeaderName; 2] = [ORIGIN, HeaderName::from_static("sec-fetch-site")];

/// Why a request is rejected before it reaches the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rejection {
    FromWebPage,
    NotDynamoDb,
    Body(BodyError),
}

/// Serves the engine until [`Server::stop`].
pub fn serve(engine: Engine, bound: Bound) -> Server {
    bound.serve(respond, Arc::new(engine))
}

async fn respond(State(engine): State<Arc<Engine>>, method: Method, headers: HeaderMap, body: Body) -> Response {
    match answer(&engine, &method, &headers, body).await {
        Ok((status, json)) => given(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), json),
        Err(rejection) => rejection.into_response(),
    }
}

async fn answer(
    engine: &Engine,
    method: &Method,
    headers: &HeaderMap,
    body: Body,
) -> Result<(u16, Vec<u8>), Rejection> {
    if OF_BROWSERS.iter().any(|name| headers.contains_key(name)) {
        return Err(Rejection::FromWebPage);
    }
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let (true, Some(AMZ_JSON), Some(target)) = (method == Method::POST, header(CONTENT_TYPE), header(TARGET)) else {
        return Err(Rejection::NotDynamoDb);
    };
    let body = read_body(body, REQUEST_MAX).await.map_err(Rejection::Body)?;
    Ok(operations::respond(&engine.0, target, &body))
}

fn given(status: StatusCode, json: Vec<u8>) -> Response {
    (status, [(CONTENT_TYPE, AMZ_JSON)], json).into_response()
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let (status, kind, message) = match self {
            Self::FromWebPage => {
                (StatusCode::FORBIDDEN, "AccessDeniedException", "requests from web pages are rejected")
            }
            Self::NotDynamoDb => (
                StatusCode::NOT_FOUND,
                "UnknownOperationException",
                "only requests of the DynamoDB API are served: POST with content-type application/x-amz-json-1.0 and \
                 x-amz-target",
            ),
            Self::Body(BodyError::TooLarge) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "SerializationException", "the request is larger than 16 MiB")
            }
            Self::Body(BodyError::TooSlow | BodyError::Incomplete) => {
                (StatusCode::BAD_REQUEST, "SerializationException", "the request is incomplete")
            }
        };
        given(status, json!({"__type": kind, "message": message}).to_string().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use reqwest::RequestBuilder;
    use serde_json::Value;

    use super::*;
    use crate::net::ANY_PORT;

    async fn served() -> (Server, String) {
        let bound = Bound::to(ANY_PORT).await.unwrap();
        let url = bound.url();
        (serve(Engine::memory().unwrap(), bound), url)
    }

    fn list_tables(url: &str) -> RequestBuilder {
        let call = reqwest::Client::builder().no_proxy().build().unwrap().post(url).body("{}");
        call.header("content-type", AMZ_JSON).header("x-amz-target", "DynamoDB_20120810.ListTables")
    }

    /// Status, type of the error, and whether a header lets pages of other sites read the response.
    async fn outcome(call: RequestBuilder) -> (u16, String, bool) {
        let answer = call.send().await.unwrap();
        let shared = answer.headers().keys().any(|name| name.as_str().starts_with("access-control-"));
        let status = answer.status().as_u16();
        let json: Value = answer.json().await.unwrap();
        (status, json["__type"].as_str().unwrap_or_default().to_owned(), shared)
    }

    #[tokio::test]
    async fn an_aws_client_is_served() {
        let (_server, url) = served().await;
        assert_eq!(outcome(list_tables(&url)).await, (200, String::new(), false));
    }

    #[tokio::test]
    async fn every_request_of_a_web_page_is_rejected_without_cors_headers() {
        let (_server, url) = served().await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let preflight = client.request(Method::OPTIONS, &url).header("access-control-request-method", "POST");
        for call in [
            list_tables(&url).header("origin", "https://evil.example"),
            list_tables(&url).header("origin", "null"),
            list_tables(&url).header("origin", &url),
            list_tables(&url).header("sec-fetch-site", "same-origin"),
            preflight.header("origin", "https://evil.example"),
            client.get(&url).header("origin", "https://evil.example"),
        ] {
            let label = format!("{call:?}");
            assert_eq!(outcome(call).await, (403, "AccessDeniedException".to_owned(), false), "{label}");
        }
    }

    #[tokio::test]
    async fn what_is_no_request_of_the_api_is_named() {
        let (_server, url) = served().await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let post = || client.post(&url).body("{}");
        for call in [
            client.get(&url),
            post(),
            post().header("content-type", AMZ_JSON),
            post().header("content-type", "text/plain").header("x-amz-target", "DynamoDB_20120810.ListTables"),
        ] {
            let label = format!("{call:?}");
            assert_eq!(outcome(call).await, (404, "UnknownOperationException".to_owned(), false), "{label}");
        }
        let unknown = post().header("content-type", AMZ_JSON).header("x-amz-target", "DynamoDB_20120810.Explode");
        let kind = "com.amazon.coral.service#UnknownOperationException".to_owned();
        assert_eq!(outcome(unknown).await, (400, kind, false));
        let kind = "com.amazon.coral.service#SerializationException".to_owned();
        assert_eq!(outcome(list_tables(&url).body("{")).await, (400, kind, false));
    }
}
