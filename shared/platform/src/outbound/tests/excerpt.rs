use http::Response;

use super::super::{DeliveryWish, Reply, RetryAfter};

fn reply(headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let response =
        headers.iter().fold(Response::builder().status(503), |builder, (name, value)| builder.header(*name, *value));
    Reply::read(&response.body(()).unwrap().into_parts().0, body)
}

#[test]
fn the_excerpt_is_the_printable_first_kib() {
    let long = "x".repeat(1024);
    for (body, expected) in [
        (Vec::new(), String::new()),
        (b"{\"ok\":true}".to_vec(), "{\"ok\":true}".to_owned()),
        (b"a\r\nb\tc\n".to_vec(), "a\nb\tc\n".to_owned()),
        (b"\x1b[31mred\0\x07\r\x7f".to_vec(), "\u{fffd}[31mred\u{fffd}\u{fffd}\u{fffd}\u{fffd}".to_owned()),
        ("a\u{202e}b\u{2028}c\u{85}".into(), "a\u{fffd}b\u{fffd}c\u{fffd}".to_owned()),
        (vec![0xff, b'a', 0xc3], "\u{fffd}a\u{fffd}".to_owned()),
        (long.clone().into_bytes(), long.clone()),
        (format!("{long}y").into_bytes(), long),
        (format!("{}\u{1f600}", "x".repeat(1022)).into_bytes(), "x".repeat(1022)),
        ("\u{fffd}".repeat(400).into_bytes(), String::new()),
    ] {
        assert_eq!(reply(&[], &body).excerpt, expected, "{body:?}");
    }
}

#[test]
fn an_excerpt_has_at_most_1024_characters() {
    for byte in 0..=255 {
        let excerpt = reply(&[], &vec![byte; 16_384]).excerpt;
        assert!(excerpt.chars().count() <= 1024, "{byte}");
        assert!(!excerpt.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{byte}");
    }
}

#[test]
fn a_header_counts_only_if_it_is_known_and_not_repeated() {
    use DeliveryWish::{AbortMessage, Disable};
    for (headers, delivery, retry_after) in [
        (vec![], None, None),
        (vec![("webhook-delivery", "disable"), ("retry-after", "7")], Some(Disable), Some(RetryAfter::Seconds(7))),
        (vec![("Webhook-Delivery", "ABORT-message")], Some(AbortMessage), None),
        (vec![("webhook-delivery", "disabled"), ("retry-after", "soon")], None, None),
        (vec![("webhook-delivery", "")], None, None),
        (vec![("webhook-delivery", "disable, abort-message")], None, None),
        (vec![("webhook-delivery", "disable"), ("webhook-delivery", "disable")], None, None),
        (vec![("retry-after", "1"), ("retry-after", "2")], None, None),
        (vec![("retry-after", "\u{e9}")], None, None),
    ] {
        let reply = reply(&headers, b"");
        assert_eq!((reply.delivery, reply.retry_after), (delivery, retry_after), "{headers:?}");
    }
}
