//! The crate `standardwebhooks`, the reference implementation, agrees with ours.

use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use proptest::prelude::*;
use standardwebhooks::Webhook;

use super::super::{SigningSecret, sign};
use super::headers;

const ANY_ID: &str = "[A-Za-z0-9_-]{1,128}";

fn any_secret() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 24..=64)
}

/// The reference implementation compares timestamps with the system's clock only.
fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn reference_accepts(key: &[u8], id: &str, timestamp: &str, signature: &str, body: &str) -> bool {
    let mut sent = HeaderMap::new();
    for (name, value) in [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)] {
        sent.insert(name, value.parse().unwrap());
    }
    Webhook::from_bytes(key.to_vec()).unwrap().verify(body.as_bytes(), &sent).is_ok()
}

/// One entry of a signature header.
#[derive(Clone, Copy, Debug)]
enum Entry {
    Valid,
    OtherSecret,
    OtherBody,
    OtherVersion,
}

fn any_entry() -> impl Strategy<Value = Entry> {
    prop_oneof![Just(Entry::Valid), Just(Entry::OtherSecret), Just(Entry::OtherBody), Just(Entry::OtherVersion)]
}

proptest! {
    #[test]
    fn both_implementations_make_the_same_signature(
        key in any_secret(), id in ANY_ID, seconds in 1_i64..1_000_000_000_000, body in any::<String>(),
    ) {
        let ours = sign(&SigningSecret::from_key(&key), &id, seconds, body.as_bytes());
        let theirs = Webhook::from_bytes(key).unwrap().sign(&id, seconds, body.as_bytes()).unwrap();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn both_implementations_read_the_same_secret(key in any_secret(), id in ANY_ID, body in any::<String>()) {
        let whsec = SigningSecret::from_key(&key).to_whsec();
        let ours = sign(&SigningSecret::parse(&whsec).unwrap(), &id, 1, body.as_bytes());
        let theirs = Webhook::new(&whsec).unwrap().sign(&id, 1, body.as_bytes()).unwrap();
        prop_assert_eq!(ours, theirs);
    }

    /// Timestamps near the limit of 300 s are left out, because the reference implementation reads the clock later.
    #[test]
    fn both_implementations_accept_the_same_messages(
        key in any_secret(), other in any_secret(), id in ANY_ID, body in any::<String>(),
        difference in prop_oneof![-290_i64..=290, 310_i64..=1_000, -1_000_i64..=-310],
        entries in prop::collection::vec(any_entry(), 1..=11),
    ) {
        prop_assume!(key != other);
        let (now, body) = (now(), body.as_str());
        let seconds = now + difference;
        let (secret, other) = (SigningSecret::from_key(&key), SigningSecret::from_key(&other));
        let entry = |entry: &Entry| match entry {
            Entry::Valid => sign(&secret, &id, seconds, body.as_bytes()),
            Entry::OtherSecret => sign(&other, &id, seconds, body.as_bytes()),
            Entry::OtherBody => sign(&secret, &id, seconds, format!("{body} ").as_bytes()),
            Entry::OtherVersion => sign(&secret, &id, seconds, body.as_bytes()).replace("v1,", "v2,"),
        };
        let signature = entries.iter().map(entry).collect::<Vec<_>>().join(" ");
        let timestamp = seconds.to_string();

        let received = headers(&id, &timestamp, &signature).unwrap();
        let ours = received.check_time(now).and_then(|()| received.verify(std::slice::from_ref(&secret), body.as_bytes()));
        let theirs = reference_accepts(&key, &id, &timestamp, &signature, body);
        prop_assert_eq!(ours.is_ok(), theirs);
        let expected = difference.abs() <= 290 && entries.iter().any(|entry| matches!(entry, Entry::Valid));
        prop_assert_eq!(theirs, expected);
    }
}
