use std::net::Ipv4Addr;

use http::Request;

use super::*;

fn event(request: http::request::Builder, body: &[u8]) -> Value {
    let (head, ()) = request.body(()).unwrap().into_parts();
    let parameters = [("id", "a b".to_owned())];
    let arrival = Arrival {
        head: &head,
        body,
        route_key: "POST /things/{id}",
        parameters: &parameters,
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 3000,
        id: "JKJaXmPLvHcESHA=",
        at: Timestamp::from_millis(1_795_369_200_123),
    };
    arrival.event()
}

fn post(uri: &str) -> http::request::Builder {
    Request::post(uri).header("host", "shop.example.com:3000").header("user-agent", "test")
}

#[test]
fn a_plain_request_has_the_shape_in_the_documentation_of_aws() {
    let event = event(post("/things/a%20b").header("content-type", "application/json"), b"{}");
    assert_eq!(
        event,
        json!({
            "version": "2.0",
            "routeKey": "POST /things/{id}",
            "rawPath": "/things/a b",
            "rawQueryString": "",
            "headers": {
                "content-type": "application/json",
                "host": "shop.example.com:3000",
                "user-agent": "test",
                "x-amzn-trace-id": "Root=1-6b0328f0-4a4b4a61586d504c76486345",
                "x-forwarded-for": "127.0.0.1",
                "x-forwarded-port": "3000",
                "x-forwarded-proto": "http",
            },
            "pathParameters": {"id": "a b"},
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "local",
                "domainName": "shop.example.com",
                "domainPrefix": "shop",
                "http": {
                    "method": "POST",
                    "path": "/things/a b",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "test",
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": "POST /things/{id}",
                "stage": "$default",
                "time": "22/Nov/2026:17:40:00 +0000",
                "timeEpoch": 1_795_369_200_123_i64,
            },
            "body": "{}",
            "isBase64Encoded": false,
        })
    );
}

#[test]
fn a_body_of_a_text_type_is_text_and_others_are_base64() {
    for (kind, as_text) in [
        (Some("application/json"), true),
        (Some("application/json; charset=utf-8"), true),
        (Some("Application/JSON"), true),
        (Some("text/plain"), true),
        (Some("text/html;charset=utf-8"), true),
        (Some("application/xml"), true),
        (Some("application/javascript"), true),
        (Some("application/problem+json"), false),
        (Some("application/cloudevents+json"), false),
        (Some("application/x-www-form-urlencoded"), false),
        (Some("application/octet-stream"), false),
        (Some(""), false),
        (None, false),
    ] {
        let request = kind.into_iter().fold(post("/things/1"), |request, kind| request.header("content-type", kind));
        let event = event(request, b"a=1");
        let body = if as_text { "a=1" } else { "YT0x" };
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(body), &json!(!as_text)), "{kind:?}");
    }
}

#[test]
fn an_event_without_body_has_no_body_member() {
    let event = event(post("/things/1").header("content-type", "application/json"), b"");
    assert_eq!((event.get("body"), &event["isBase64Encoded"]), (None, &json!(false)));
}

#[test]
fn a_text_body_that_is_not_utf_8_is_base64() {
    let event = event(post("/things/1").header("content-type", "text/plain"), b"a\xffb");
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("Yf9i"), &json!(true)));
}

#[test]
fn header_names_are_lower_case_and_repeated_headers_are_joined() {
    let event = event(
        post("/things/1")
            .header("Webhook-Id", "one")
            .header("webhook-id", "two")
            .header("x-forwarded-for", "10.0.0.1")
            .header("x-name", "M\u{fc}ller".as_bytes()),
        b"",
    );
    assert_eq!(event["headers"]["webhook-id"], "one,two");
    assert_eq!(event["headers"]["x-forwarded-for"], "10.0.0.1,127.0.0.1");
    assert_eq!(event["headers"]["x-name"], "M\u{fc}ller");
}

#[test]
fn cookies_are_a_list_of_their_own() {
    let event = event(post("/things/1").header("cookie", "a=1; b=2").header("cookie", "c=3"), b"");
    assert_eq!(event["cookies"], json!(["a=1", "b=2", "c=3"]));
    assert_eq!(event["headers"].get("cookie"), None);
}

#[test]
fn the_raw_query_stays_encoded_and_its_parameters_are_decoded() {
    let case = |query: &str| {
        let event = event(post(&format!("/things/1{query}")), b"");
        (event["rawQueryString"].clone(), event.get("queryStringParameters").cloned())
    };
    assert_eq!(case(""), (json!(""), None));
    assert_eq!(case("?"), (json!(""), None));
    assert_eq!(case("?a=1&b=x%20y+z"), (json!("a=1&b=x%20y+z"), Some(json!({"a": "1", "b": "x y z"}))));
    assert_eq!(case("?a=1&a=2&b"), (json!("a=1&a=2&b"), Some(json!({"a": "1,2", "b": ""}))));
    assert_eq!(case("?a=%zz&b=%ff"), (json!("a=%zz&b=%ff"), Some(json!({"a": "%zz", "b": "\u{fffd}"}))));
    assert_eq!(case("?a=%00"), (json!("a=%00"), Some(json!({"a": "\0"}))));
}

#[test]
fn the_raw_path_is_decoded() {
    let raw_path = |path: &str| event(post(path), b"")["rawPath"].clone();
    for (path, expected) in [
        ("/things/a%2Fb", "/things/a/b"),
        ("/things/a%3Fb", "/things/a"),
        ("/things/a%23b", "/things/a#b"),
        ("/things/%25", "/things/%"),
        ("/things/..", "/things/.."),
    ] {
        assert_eq!(raw_path(path), expected, "{path}");
    }
}

#[test]
fn the_domain_name_has_no_port() {
    let domain = |host: &str| {
        let event = event(Request::post("/things/1").header("host", host), b"");
        event["requestContext"]["domainName"].clone()
    };
    assert_eq!(domain("localhost:3000"), "localhost");
    assert_eq!(domain("localhost"), "localhost");
    assert_eq!(domain("[::1]:3000"), "[::1]");
    assert_eq!(domain("[::1]"), "[::1]");
    assert_eq!(domain("127.0.0.1:80"), "127.0.0.1");
}
