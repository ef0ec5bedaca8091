//! How long the keys of an issuer are used, and how often they are read again.

use std::sync::Arc;

use super::super::cache::Cache;
use super::super::discovery::Discovery;
use super::*;
use crate::outbound::{Loopback, ServerUrl};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis((NOW + seconds) * 1000)
}

fn keep_keys(cache: &Cache, now: Timestamp) {
    cache.keep_keys(ISSUER, Arc::new(key_set(&[one().jwk()])), now);
}

/// A cache that got its keys at second 0.
fn filled() -> Cache {
    let url = ServerUrl::parse("https://login.microsoftonline.com/common", Loopback::Refused).unwrap();
    let discovery = Discovery { token: url.clone(), keys: url, end_session: None };
    let cache = Cache::default();
    cache.keep_discovery(ISSUER, Arc::new(discovery), at(0));
    keep_keys(&cache, at(0));
    cache
}

#[test]
fn a_failed_refetch_does_not_extend_the_hour() {
    let cache = filled();
    assert!(!cache.may_fetch_again(ISSUER, at(59)));
    // Nothing is kept after this: the refetch failed.
    assert!(cache.may_fetch_again(ISSUER, at(3599)));
    assert!(!cache.may_fetch_again(ISSUER, at(3599)), "only one caller in a minute");
    assert!(cache.keys(ISSUER, at(3599)).is_some());
    assert!(cache.keys(ISSUER, at(3600)).is_none());
}

#[test]
fn new_keys_begin_another_hour_and_another_minute() {
    let cache = filled();
    assert!(cache.may_fetch_again(ISSUER, at(60)));
    keep_keys(&cache, at(70));
    assert!(!cache.may_fetch_again(ISSUER, at(129)));
    assert!(cache.keys(ISSUER, at(3669)).is_some());
    assert!(cache.keys(ISSUER, at(3670)).is_none());
    assert!(cache.may_fetch_again(ISSUER, at(130)));
}
