//! The boundaries of time, to the second.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::identity::Check;

const YEAR: i64 = 365 * 86_400;

/// What a token with other times leads to.
fn outcome(times: [i64; 4], now: i64) -> Result<(), SignInError> {
    let mut claims = claims();
    for (claim, time) in ["exp", "nbf", "iat", "auth_time"].into_iter().zip(times) {
        claims[claim] = json!(time);
    }
    judge_at(&one().token(&claims), &key_set(&[one().jwk()]), now).map(drop)
}

/// The same rules, written down again.
fn expected([exp, nbf, iat, auth_time]: [i64; 4], now: i64) -> Result<(), SignInError> {
    let failed = |check| Err(SignInError::Failed(check));
    if now >= exp + 60 || exp - now > 86_400 {
        failed(Check::Expiry)
    } else if nbf - 60 > now {
        failed(Check::NotBefore)
    } else if (now - iat).abs() > 600 {
        failed(Check::IssuedAt)
    } else if now - auth_time > 900 + 60 || auth_time - now > 60 {
        failed(Check::Freshness)
    } else {
        Ok(())
    }
}

#[test]
fn each_time_holds_up_to_its_boundary() {
    let honest = [NOW + 3600, NOW, NOW, NOW];
    for (claim, inside, outside, check) in [
        (0, NOW - 59, NOW - 60, Check::Expiry),
        (0, NOW + 86_400, NOW + 86_401, Check::Expiry),
        (1, NOW + 60, NOW + 61, Check::NotBefore),
        (2, NOW - 600, NOW - 601, Check::IssuedAt),
        (2, NOW + 600, NOW + 601, Check::IssuedAt),
        (3, NOW - 960, NOW - 961, Check::Freshness),
        (3, NOW + 60, NOW + 61, Check::Freshness),
    ] {
        let with = |time| {
            let mut times = honest;
            times[claim] = time;
            outcome(times, NOW)
        };
        assert_eq!(with(inside), Ok(()), "{check} {inside}");
        assert_eq!(with(outside), Err(SignInError::Failed(check)), "{check} {outside}");
    }
}

/// A distance that is often near a boundary.
fn near(boundaries: &'static [i64]) -> impl Strategy<Value = i64> {
    prop_oneof![
        (prop::sample::select(boundaries), -2..=2_i64).prop_map(|(boundary, off)| boundary + off),
        -2000..2000_i64,
        -YEAR..YEAR,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn clocks_may_differ_by_a_minute_and_no_more(
        exp in near(&[-60, 0, 3600, 86_400]),
        nbf in near(&[0, 60]),
        iat in near(&[-600, 0, 600]),
        auth_time in near(&[-960, -900, 0, 60]),
    ) {
        let times = [NOW + exp, NOW + nbf, NOW + iat, NOW + auth_time];
        prop_assert_eq!(outcome(times, NOW), expected(times, NOW));
    }
}
