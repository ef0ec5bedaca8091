//! Malformed and slow responses, over a pipe in virtual time, so limits are exact to the second.

use std::time::Duration;

use tokio::time::Instant;

use super::super::exchange::exchange;
use super::super::{DeliveryWish, Failure, Message, Reply, RetryAfter};
use super::common::{BODY, answered, endpoint, message};
use super::peer::{Seen, Step, play, say};
use Failure::{Protocol, Timeout};
use Step::{Drip, Flood, Hear, Hold, Shut, Sleep};

const LIMIT: Duration = Duration::from_secs(15);
const SECOND: Duration = Duration::from_secs(1);

/// Sends a message to a peer: the result, the elapsed seconds, and what the peer saw.
async fn exchange_with(message: &Message<'_>, script: Vec<Step>) -> (Result<Reply, Failure>, u64, Seen) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let peer = tokio::spawn(play(theirs, script));
    let began = Instant::now();
    let url = endpoint("https://hooks.example.com/in?key=A%2f");
    let result = exchange(Box::new(ours), &url, message, began + LIMIT).await;
    (result, began.elapsed().as_secs(), peer.await.unwrap())
}

/// A row of a table: name, script, expected result, expected seconds.
type Row<'a> = (&'a str, Vec<Step>, Result<Reply, Failure>, u64);

async fn check(rows: Vec<Row<'_>>) {
    for (name, script, expected, seconds) in rows {
        let (result, elapsed, _) = exchange_with(&message(BODY), script).await;
        assert_eq!((result, elapsed), (expected, seconds), "{name}");
    }
}

fn reply(status: u16, excerpt: &str) -> Result<Reply, Failure> {
    Ok(Reply { excerpt: excerpt.to_owned(), ..answered(status) })
}

/// The script of a peer that reads the request and sends this response.
fn answer(text: impl AsRef<[u8]>) -> Vec<Step> {
    vec![Hear, say(text), Hold]
}

/// As [`answer`], then closes the connection.
fn answer_and_close(text: impl AsRef<[u8]>) -> Vec<Step> {
    vec![Hear, say(text)]
}

#[tokio::test(start_paused = true)]
async fn the_request_has_exactly_these_bytes() {
    let (result, _, seen) = exchange_with(&message(BODY), answer("HTTP/1.1 204 No Content\r\n\r\n")).await;
    assert_eq!(result, reply(204, ""));
    let expected = format!(
        "POST /in?key=A%2f HTTP/1.1\r\nhost: hooks.example.com\r\ncontent-type: application/json\r\n\
         user-agent: multipartner/{}\r\nwebhook-id: evt_1\r\nwebhook-timestamp: 1795369200\r\n\
         webhook-signature: v1,aaaa v1,bbbb\r\ncontent-length: {}\r\n\r\n{}",
        env!("CARGO_PKG_VERSION"),
        BODY.len(),
        str::from_utf8(BODY).unwrap()
    );
    assert_eq!(String::from_utf8(seen.heard).unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn well_formed_responses_are_read() {
    let redirect =
        |status| format!("HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:9001/\r\ncontent-length: 0\r\n\r\n");
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    check(vec![
        ("with a length", answer("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), reply(200, "ok"), 0),
        ("in chunks", answer(chunked), reply(200, "ok"), 0),
        ("until the end", answer_and_close("HTTP/1.1 200 OK\r\n\r\nok"), reply(200, "ok"), 0),
        ("of HTTP/1.0", answer_and_close("HTTP/1.0 200 OK\r\n\r\nok"), reply(200, "ok"), 0),
        ("without a reason", answer("HTTP/1.1 202\r\ncontent-length: 0\r\n\r\n"), reply(202, ""), 0),
        ("with bare line feeds", answer("HTTP/1.1 202 \ncontent-length: 0\n\n"), reply(202, ""), 0),
        ("after 100", answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 X\r\n\r\n"), reply(204, ""), 0),
        ("after 103", answer("HTTP/1.1 103 X\r\nlink: </x>\r\n\r\nHTTP/1.1 204 X\r\n\r\n"), reply(204, ""), 0),
        ("twice", answer("HTTP/1.1 204 X\r\n\r\nHTTP/1.1 500 X\r\n\r\n"), reply(204, ""), 0),
        (
            "switching protocols",
            answer("HTTP/1.1 101 X\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
            reply(101, ""),
            0,
        ),
        ("of the last status", answer("HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n"), reply(999, ""), 0),
        (
            "before the request is read",
            vec![say("HTTP/1.1 413 X\r\ncontent-length: 0\r\n\r\n"), Hold],
            reply(413, ""),
            0,
        ),
        ("301", answer(redirect(301)), reply(301, ""), 0),
        ("302", answer(redirect(302)), reply(302, ""), 0),
        ("303", answer(redirect(303)), reply(303, ""), 0),
        ("307", answer(redirect(307)), reply(307, ""), 0),
        ("308", answer(redirect(308)), reply(308, ""), 0),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn malformed_headers_are_ignored() {
    let row = |header: &str, expected: Reply| {
        let text = format!("HTTP/1.1 503 X\r\n{header}\r\ncontent-length: 0\r\n\r\n");
        (header.to_owned(), answer(text), expected)
    };
    let retry = |retry_after| Reply { retry_after, ..answered(503) };
    let delivery = |delivery| Reply { delivery, ..answered(503) };
    for (header, script, expected) in [
        row("retry-after: 120", retry(Some(RetryAfter::Seconds(120)))),
        row("Retry-After:   120  ", retry(Some(RetryAfter::Seconds(120)))),
        row("retry-after: Sun, 06 Nov 1994 08:49:37 GMT", retry(Some(RetryAfter::At(784_111_777)))),
        row("retry-after: Fri, 31 Dec 9999 23:59:59 GMT", retry(Some(RetryAfter::At(253_402_300_799)))),
        row("retry-after: 99999999999999999999", retry(Some(RetryAfter::Seconds(u64::MAX)))),
        row("retry-after: -1", retry(None)),
        row("retry-after: NaN", retry(None)),
        row("retry-after: 1.5", retry(None)),
        row("retry-after:", retry(None)),
        row("retry-after: Fri, 31 Dec 99999 23:59:59 GMT", retry(None)),
        row("retry-after: 1\r\nretry-after: 2", retry(None)),
        row("retry-after: \u{e9}", retry(None)),
        row("webhook-delivery: disable", delivery(Some(DeliveryWish::Disable))),
        row("webhook-delivery: abort-message", delivery(Some(DeliveryWish::AbortMessage))),
        row("webhook-delivery: enable", delivery(None)),
    ] {
        assert_eq!(exchange_with(&message(BODY), script).await.0, Ok(expected), "{header}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_malformed_response_fails_at_once() {
    let with = |header: &str| answer(format!("HTTP/1.1 200 OK\r\n{header}\r\ncontent-length: 0\r\n\r\n"));
    let many = (0..101).map(|n| format!("h{n}: x\r\n")).collect::<String>();
    let rows = [
        ("another version", answer("HTTP/9.9 banana\r\n\r\n")),
        ("HTTP/2 in words", answer("HTTP/2 200 OK\r\n\r\n")),
        ("HTTP/2 in frames", answer(b"\0\0\0\x04\0\0\0\0\0")),
        ("HTTP/0.9", answer("<html>hello</html>")),
        ("another protocol", answer("220 mail.example.com ESMTP\r\n")),
        ("a TLS alert", answer(b"\x15\x03\x01\0\x02\x02\x28")),
        ("zeros", answer([0; 64])),
        ("lower case", answer("http/1.1 200 ok\r\n\r\n")),
        ("status 000", answer("HTTP/1.1 000 X\r\n\r\n")),
        ("status 099", answer("HTTP/1.1 099 X\r\n\r\n")),
        ("status 99", answer("HTTP/1.1 99 X\r\n\r\n")),
        ("status 1000", answer("HTTP/1.1 1000 X\r\n\r\n")),
        ("status -20", answer("HTTP/1.1 -20 X\r\n\r\n")),
        ("status 2e2", answer("HTTP/1.1 2e2 X\r\n\r\n")),
        ("no status", answer("HTTP/1.1 OK\r\n\r\n")),
        ("NUL in a value", with("x: a\0b")),
        ("NUL in a name", with("x\0: a")),
        ("NUL in the reason", answer("HTTP/1.1 200 O\0K\r\n\r\n")),
        ("a header without a colon", with("retry-after")),
        ("a header without a name", with(": x")),
        ("a space before the colon", with("retry-after : 1")),
        ("a folded header", with("x: a\r\n b")),
        ("a lone carriage return", with("x: a\rb")),
        ("two lengths", with("content-length: 5")),
        ("a negative length", answer("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n")),
        ("a signed length", answer("HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n")),
        ("a length of 2^64", answer("HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551616\r\n\r\n")),
        ("101 headers", with(many.trim_end())),
        ("a header of 16 KiB", with(&format!("x: {}", "a".repeat(16 * 1024)))),
        ("a reason of 16 KiB", answer(format!("HTTP/1.1 200 {}\r\n\r\n", "a".repeat(16 * 1024)))),
        ("headers without end", vec![Hear, say("HTTP/1.1 200 OK\r\n"), Flood("x: a\r\n", 1 << 20)]),
        ("a line without end", vec![Hear, say("HTTP/1.1 200 "), Flood("a", 1 << 20)]),
    ];
    check(rows.map(|(name, script)| (name, script, Err(Protocol), 0)).into()).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_before_the_head_is_a_protocol_failure() {
    let rows = [
        ("at once", vec![]),
        ("after the request", vec![Hear]),
        ("half of it", vec![Hear, Shut, Hold]),
        ("half of it at once", vec![Shut, Hold]),
        ("within the first line", answer_and_close("HTTP/1.1 20")),
        ("within a header", answer_and_close("HTTP/1.1 200 OK\r\ncontent-le")),
        ("before the empty line", answer_and_close("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n")),
        ("after an interim response", answer_and_close("HTTP/1.1 100 Continue\r\n\r\n")),
    ];
    check(rows.map(|(name, script)| (name, script, Err(Protocol), 0)).into()).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_response_times_out_after_15_seconds() {
    let rows = [
        ("silence", vec![Hold]),
        ("silence after the request", vec![Hear, Hold]),
        ("never reads", vec![Sleep]),
        ("a head that drips", vec![Hear, Drip("H", Duration::from_secs(60))]),
        ("a reason that drips", vec![Hear, say("HTTP/1.1 200 "), Drip("x", SECOND)]),
        ("a header that drips", vec![Hear, say("HTTP/1.1 200 OK\r\nx: "), Drip("x", SECOND)]),
        ("100 each second", vec![Hear, Drip("HTTP/1.1 100 Continue\r\n\r\n", SECOND)]),
        ("100 each millisecond", vec![Hear, Drip("HTTP/1.1 100 X\r\n\r\n", Duration::from_millis(1))]),
        ("103 each millisecond", vec![Hear, Drip("HTTP/1.1 103 X\r\n\r\n", Duration::from_millis(1))]),
        ("100, then silence", vec![Hear, say("HTTP/1.1 100 Continue\r\n\r\n"), Hold]),
    ];
    check(rows.map(|(name, script)| (name, script, Err(Timeout), 15)).into()).await;
}

#[tokio::test(start_paused = true)]
async fn a_head_in_time_counts_even_if_the_body_fails() {
    let head = |length: &str| format!("HTTP/1.1 200 OK\r\n{length}\r\n\r\n");
    let chunked = |chunks: &str| format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
    let long = "x".repeat(1024);
    check(vec![
        ("drips", vec![Hear, say(head("x: y")), Drip("x", 2 * SECOND)], reply(200, "xxxxxxx"), 15),
        ("drips a chunk", vec![Hear, say(chunked("")), Drip("1\r\nx\r\n", 2 * SECOND)], reply(200, "xxxxxxx"), 15),
        ("stops", answer(head("content-length: 9") + "ab"), reply(200, "ab"), 15),
        ("never begins", answer(head("content-length: 9")), reply(200, ""), 15),
        ("is cut off", answer_and_close(head("content-length: 9") + "ab"), reply(200, "ab"), 0),
        ("is cut off within a chunk", answer_and_close(chunked("9\r\nab")), reply(200, "ab"), 0),
        ("has no last chunk", answer_and_close(chunked("2\r\nab\r\n")), reply(200, "ab"), 0),
        ("has a wrong chunk", answer(chunked("zz\r\nab")), reply(200, ""), 0),
        ("has a chunk of 2^64", answer(chunked("fffffffffffffffff\r\nab")), reply(200, ""), 0),
        ("is without end", vec![Hear, say(head("x: y")), Flood("xxxxxxxxxxxxxxxx", 1 << 26)], reply(200, &long), 0),
        ("is a long one", answer(head("content-length: 16384") + &"x".repeat(16_384)), reply(200, &long), 0),
        ("is longer than is read", answer(head("content-length: 16385") + &"x".repeat(16_384)), reply(200, &long), 0),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_long_body_is_not_read_to_its_end() {
    let script = vec![Hear, say("HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n"), Flood("xxxxxxxx", 1 << 27)];
    let (result, _, seen) = exchange_with(&message(BODY), script).await;
    assert_eq!(result, reply(200, &"x".repeat(1024)));
    assert!(seen.said < 256 * 1024, "{}", seen.said);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_does_not_read_the_request_delays_neither_response_nor_timeout() {
    let big = vec![b'x'; 1 << 20];
    let (result, elapsed, _) = exchange_with(&message(&big), vec![Sleep]).await;
    assert_eq!((result, elapsed), (Err(Timeout), 15));
    let script = vec![say("HTTP/1.1 413 X\r\ncontent-length: 0\r\n\r\n"), Sleep];
    let (result, elapsed, _) = exchange_with(&message(&big), script).await;
    assert_eq!((result, elapsed), (reply(413, ""), 0));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_would_inject_a_header_is_not_sent() {
    for (id, signature) in
        [("a\r\nb: c", "v1,x"), ("a\nb", "v1,x"), ("a\0", "v1,x"), ("a", "v1,x\r\n\r\nGET / HTTP/1.1")]
    {
        let message = Message { id, signature: signature.to_owned(), ..message(BODY) };
        let (result, _, seen) = exchange_with(&message, answer("HTTP/1.1 204 X\r\n\r\n")).await;
        assert_eq!((result, seen.heard.len()), (Err(Protocol), 0), "{id:?}");
    }
}
