use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use domain::Policy;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use platform::clock::SystemClock;
use platform::config::Needs;
use platform::handler::{Anyone, App, Context, JsonDocument, Never, Nothing};
use platform::http_api::{Problem, Response};
use platform::lambda::Function;
use platform::random::Random;
use serde_json::{Value, json};

use super::forward::{EVENT_MAX, HEAD_MAX, PAYLOAD_MAX, head_size, uuid};
use super::*;
use crate::engine::Engine;
use crate::table::table_config;
use crate::testing::FixedRandom;

/// Returns what reached it, never returns, or panics.
const ECHO: Function = Function {
    name: "echo",
    routes: platform::routes! {
        /// Show what reached the handler.
        "POST /echo/{id}" => echo, computes [];
        /// Never respond.
        "GET /slow" => slow, computes [];
        /// Panic.
        "GET /panic" => panicking, computes [];
    },
    needs: Needs::NOTHING,
};

async fn echo(context: Context, _: Anyone, _: Nothing) -> Result<JsonDocument, Problem> {
    let request = &context.request;
    let body = request.body().map_or(0, |body| body.len());
    let query: Vec<_> = request.query().collect();
    Response::json(200, &json!({"id": request.path("id"), "query": query, "body": body})).map(JsonDocument)
}

async fn slow(_: Context, _: Anyone, _: Nothing) -> Result<Never, Problem> {
    std::future::pending().await
}

async fn panicking(_: Context, _: Anyone, _: Nothing) -> Result<Never, Problem> {
    panic!("on purpose")
}

fn gateway() -> Gateway {
    let config = table_config();
    let random: Arc<dyn Random> = Arc::new(FixedRandom(1));
    let client = Engine::memory().unwrap().client();
    let app = App::new(&config, client, Policy::built_in().unwrap(), Arc::new(SystemClock), Arc::clone(&random));
    let target = Target { function: ECHO, app: Arc::new(app) };
    let routes = [("POST", "/echo/{id}"), ("GET", "/slow"), ("GET", "/panic"), ("GET", "/unserved")];
    Gateway {
        router: Router::new(routes.map(|(method, path)| (method, path, target.clone()))),
        port: 3000,
        function_timeout: Duration::from_secs(10),
        clock: Arc::new(SystemClock),
        random,
        committed: Arc::default(),
    }
}

async fn ask(request: http::request::Builder, body: impl Into<Bytes>) -> (u16, Value) {
    let request = request.body(Full::from(body.into())).unwrap();
    let answer = gateway().answer(request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
    assert!(answer.headers().contains_key("apigw-requestid"));
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

fn post(path: &str) -> http::request::Builder {
    Request::post(path).header("content-type", "application/json")
}

fn message(text: &str) -> Value {
    json!({"message": text})
}

#[tokio::test]
async fn a_request_reaches_its_function_as_an_event() {
    let (status, answer) = ask(post("/echo/a%20b?x=1&x=2"), "{ }").await;
    assert_eq!((status, answer), (200, json!({"id": "a b", "query": [["x", "1,2"]], "body": 3})));
}

#[tokio::test]
async fn an_unknown_path_or_method_gets_the_gateways_own_404() {
    for request in [Request::get("/echo/1"), post("/echo"), post("/echo/1/"), Request::options("/echo/1"), post("/")] {
        assert_eq!(ask(request, "").await, (404, message("Not Found")));
    }
}

#[tokio::test]
async fn request_line_and_headers_over_10240_bytes_get_431() {
    let empty = post("/echo/1").header("x-large", "").body(()).unwrap().into_parts().0;
    let rest = HEAD_MAX - head_size(&empty);
    let request = |bytes: usize| post("/echo/1").header("x-large", HeaderValue::from_str(&"a".repeat(bytes)).unwrap());
    assert_eq!(ask(request(rest), "{}").await.0, 200);
    assert_eq!(ask(request(rest + 1), "{}").await, (431, message("Request Header Fields Too Large")));
}

#[tokio::test]
async fn a_body_too_large_for_gateway_or_invocation_gets_413() {
    let too_large = (413, message("Request Entity Too Large"));
    assert_eq!(ask(post("/echo/1"), vec![b' '; PAYLOAD_MAX + 1]).await, too_large);
    assert_eq!(ask(post("/echo/1"), vec![b' '; EVENT_MAX]).await, too_large);
    // Base64 is a third larger.
    assert_eq!(ask(Request::post("/echo/1"), vec![b' '; EVENT_MAX / 4 * 3]).await, too_large);
    assert_eq!(ask(post("/echo/1"), vec![b' '; EVENT_MAX / 4 * 3]).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_takes_over_30_seconds_gets_503() {
    assert_eq!(ask(Request::get("/slow"), "").await, (503, message("Service Unavailable")));
}

#[tokio::test]
async fn a_panic_becomes_the_functions_own_500() {
    let (status, answer) = ask(Request::get("/panic"), "").await;
    assert_eq!((status, &answer["code"]), (500, &json!("internal")));
}

#[tokio::test]
async fn a_route_that_the_function_does_not_know_gets_its_own_404() {
    let (status, answer) = ask(Request::get("/unserved"), "").await;
    assert_eq!((status, &answer["code"]), (404, &json!("not_found")));
}

#[test]
fn an_invocation_id_is_a_uuid() {
    assert_eq!(uuid(&[0xab; 32]), "abababab-abab-abab-abab-abababababab");
}
