//! Internal errors: the response reveals no implementation details.

use std::future::Ready;
use std::time::Duration;

use platform::config::Needs;
use platform::handler::{Anyone, Context, Never, Nothing, Route};
use platform::http_api::{Code, Problem};
use platform::lambda::Function;
use serde_json::json;
use tests::World;

/// An event for the route of [`panicking`].
fn event() -> Vec<u8> {
    let http = json!({"method": "GET", "path": "/v1/policy", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": ""});
    let context = json!({
        "http": http, "routeKey": "GET /v1/policy", "stage": "$default", "requestId": "JKJaXmPLvHcESHA=", "timeEpoch": 0,
        "accountId": "0", "apiId": "a", "domainName": "a.example", "domainPrefix": "a", "time": "",
    });
    let event = json!({
        "version": "2.0", "routeKey": "GET /v1/policy", "rawPath": "/v1/policy", "rawQueryString": "", "headers": {},
        "requestContext": context, "isBase64Encoded": false,
    });
    event.to_string().into_bytes()
}

fn panic_at_once(_: Context, _: Anyone, _: Nothing) -> Ready<Result<Never, Problem>> {
    panic!("secret whsec_AAAA at once")
}

async fn panic_later(_: Context, _: Anyone, _: Nothing) -> Result<Never, Problem> {
    panic!("secret whsec_AAAA later")
}

/// A function whose handler panics: before it returns its future, or while the future runs.
fn panicking(at_once: bool) -> Function {
    const AT_ONCE: &[Route] = platform::routes! {
        /// Panic.
        "GET /v1/policy" => panic_at_once, computes [];
    };
    const LATER: &[Route] = platform::routes! {
        /// Panic.
        "GET /v1/policy" => panic_later, computes [];
    };
    Function { name: "panicking", routes: if at_once { AT_ONCE } else { LATER }, needs: Needs::NOTHING }
}

#[tokio::test]
async fn a_panic_in_a_handler_returns_500_without_details() {
    let Some(world) = World::with_clock().await else { return };
    for at_once in [true, false] {
        let answer = world.invoke(&panicking(at_once), &event(), Duration::from_secs(10)).await;
        let problem = answer.refused(500, "internal");
        assert_eq!(problem["retryable"], false);
        assert!(!problem.to_string().contains("secret"));
    }
    // The process continues to work.
    let whole = tests::here::function_of("GET /v1/policy").expect("a function");
    world.invoke(whole, &event(), Duration::from_secs(10)).await.expect(200);
}

/// Codes are part of the contract.
#[test]
fn every_code_has_a_unique_name_and_a_matching_status() {
    let mut names = Vec::new();
    for code in Code::ALL {
        let name = code.name();
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert!((400..600).contains(&code.status()) && !code.title().is_empty(), "{name}");
        assert!(code.status() < 500 || code.retryable() || name == "internal", "{name}");
        names.push(name);
    }
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}
