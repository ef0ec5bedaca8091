use std::time::Duration;

use proptest::prelude::*;

use super::super::{ATTEMPTS, CHALLENGE_ATTEMPTS, Failure, Outcome, Reply, RetryAfter, next_challenge_wait, next_wait};
use super::common::{answered, failed};
use domain::{Delivery, Timestamp, digest};

/// The published schedule, in seconds.
const BASES: [u64; 10] = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// 2026-11-22T17:40:00Z.
const NOW: i64 = 1_795_369_200;

/// Random bytes for no jitter, the least and the most.
const MIDDLE: [u8; 32] =
    [0, 0, 0, 0x80, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];
const LEAST: [u8; 32] = [0; 32];
const MOST: [u8; 32] = [0xff; 32];

fn asking(status: u16, retry_after: RetryAfter) -> Outcome {
    Outcome::Answered(Reply { retry_after: Some(retry_after), ..answered(status) })
}

fn wait(attempts_made: u32, outcome: &Outcome, random: &[u8; 32]) -> Option<Duration> {
    next_wait(attempts_made, outcome, Timestamp::from_millis(NOW * 1000), random)
}

#[test]
fn without_jitter_the_waits_are_the_published_schedule() {
    let outcome = Outcome::Answered(answered(500));
    let waits: Vec<_> = (0..ATTEMPTS).map(|made| wait(made, &outcome, &MIDDLE).unwrap()).collect();
    assert_eq!(waits, BASES.map(Duration::from_secs));
    assert_eq!(waits.iter().sum::<Duration>(), Duration::from_secs(75 * 3600 + 35 * 60 + 5));
}

/// Otherwise a small difference of clocks would decide whether a ticket is postponed.
#[test]
fn no_wait_is_close_to_the_longest_postponement() {
    let longest = Delivery::MAX_QUEUE_DELAY;
    let near = longest - Duration::from_mins(2)..longest + Duration::from_mins(2);
    for made in 1..ATTEMPTS {
        let least = wait(made, &Outcome::Answered(answered(500)), &LEAST).unwrap();
        let most = wait(made, &asking(503, RetryAfter::Seconds(u64::MAX)), &MOST).unwrap();
        assert!(most < near.start || least > near.end, "{made}: {least:?} to {most:?}");
    }
}

#[test]
fn there_is_no_attempt_after_the_tenth_or_after_success() {
    for made in [ATTEMPTS, ATTEMPTS + 1, u32::MAX] {
        assert_eq!(wait(made, &Outcome::Answered(answered(500)), &MIDDLE), None);
        assert_eq!(wait(made, &asking(503, RetryAfter::Seconds(1)), &MIDDLE), None);
        assert_eq!(wait(made, &failed(Failure::Timeout), &MIDDLE), None);
    }
    for status in [200, 202, 204, 299] {
        assert_eq!(wait(1, &Outcome::Answered(answered(status)), &MIDDLE), None, "{status}");
    }
    for status in [100, 199, 300, 302, 304, 400, 404, 410, 500, 999] {
        assert!(wait(1, &Outcome::Answered(answered(status)), &MIDDLE).is_some(), "{status}");
    }
}

#[test]
fn an_overloaded_endpoint_gets_at_least_a_minute() {
    let minute = Duration::from_secs(60);
    for outcome in [Outcome::Answered(answered(429)), failed(Failure::Timeout), asking(429, RetryAfter::Seconds(1))] {
        assert_eq!(wait(1, &outcome, &LEAST), Some(minute), "{outcome:?}");
        assert_eq!(wait(2, &outcome, &MIDDLE), Some(minute * 5), "{outcome:?}");
    }
    use Failure::{Connect, Dns, Forbidden, Protocol, Tls};
    for failure in [Connect, Dns, Forbidden, Protocol, Tls] {
        assert_eq!(wait(1, &failed(failure), &MIDDLE), Some(minute / 12), "{failure:?}");
    }
}

#[test]
fn retry_after_extends_a_wait_up_to_twice_its_base_and_a_day() {
    use RetryAfter::{At, Seconds};
    #[rustfmt::skip]
    let rows = [
        // Attempts made, status, header, expected seconds without jitter.
        (2, 503, Seconds(0), 300), (2, 503, Seconds(299), 300), (2, 503, Seconds(301), 301),
        (2, 503, Seconds(600), 600),
        (2, 503, Seconds(601), 600), (2, 503, Seconds(u64::MAX), 600), (2, 429, Seconds(400), 400),
        (2, 502, Seconds(400), 400), (2, 504, Seconds(400), 400),
        (2, 500, Seconds(400), 300), (2, 501, Seconds(400), 300), (2, 301, Seconds(400), 300),
        (2, 404, Seconds(400), 300),
        (2, 503, At(NOW + 400), 400), (2, 503, At(NOW), 300), (2, 503, At(0), 300), (2, 503, At(i64::MIN), 300),
        (2, 503, At(i64::MAX), 600), (2, 503, At(253_402_300_799), 600),
        (1, 503, Seconds(3_600), 10), (1, 429, Seconds(3_600), 60),
        (8, 503, Seconds(u64::MAX), 86_400), (9, 503, Seconds(u64::MAX), 86_400), (7, 503, Seconds(90_000), 86_400),
    ];
    for (made, status, asked, expected) in rows {
        assert_eq!(
            wait(made, &asking(status, asked), &MIDDLE),
            Some(Duration::from_secs(expected)),
            "{made} {status} {asked:?}"
        );
    }
    let jittered = wait(9, &asking(503, Seconds(u64::MAX)), &MOST).unwrap();
    assert!(jittered > Duration::from_secs(86_400), "Retry-After never shortens a wait: {jittered:?}");
}

#[test]
fn retry_after_is_digits_or_an_imf_fixdate() {
    use RetryAfter::{At, Seconds};
    #[rustfmt::skip]
    let rows = [
        ("0", Some(Seconds(0))), ("120", Some(Seconds(120))), ("007", Some(Seconds(7))),
        ("18446744073709551615", Some(Seconds(u64::MAX))), ("18446744073709551616", Some(Seconds(u64::MAX))),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(At(784_111_777))), ("Thu, 01 Jan 1970 00:00:00 GMT", Some(At(0))),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(At(253_402_300_799))),
        ("Sat, 01 Jan 0000 00:00:00 GMT", None), ("Wed, 31 Dec 1969 23:59:59 GMT", None),
        ("Sun, 22 Nov 2026 17:40:00 GMT", Some(At(NOW))),
        ("", None), (" ", None), ("-1", None), ("+1", None), (" 1", None), ("1 ", None), ("1.5", None),
        ("1e3", None), ("0x10", None),
        ("NaN", None), ("inf", None), ("soon", None), ("1, 2", None), ("\u{661}", None), ("120s", None),
        ("Mon, 06 Nov 1994 08:49:37 GMT", None), ("sun, 06 nov 1994 08:49:37 gmt", None),
        ("Sun, 6 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37", None), ("Sun, 06 Nov 1994 08:49:37 UTC", None),
        ("Sun, 06 Nov 1994 08:49:37 +0000", None),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None), ("Sun Nov  6 08:49:37 1994", None),
        ("Wed, 30 Feb 2026 00:00:00 GMT", None),
        ("Sun, 06 Nov 1994 24:00:00 GMT", None), ("Sun, 06 Nov 1994 08:60:00 GMT", None),
        ("Sat, 31 Dec 2016 23:59:60 GMT", None),
        ("Sat, 01 Jan 10000 00:00:00 GMT", None), ("Sat, 01 Jan -001 00:00:00 GMT", None),
        ("2026-11-22T17:40:00Z", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT ", None),
    ];
    for (text, expected) in rows {
        assert_eq!(RetryAfter::parse(text), expected, "{text:?}");
    }
    assert_eq!(RetryAfter::parse(&"9".repeat(16_384)), Some(Seconds(u64::MAX)));
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    use Failure::{Connect, Dns, Forbidden, Protocol, Timeout, Tls};
    let retry_after = prop_oneof![
        any::<u64>().prop_map(RetryAfter::Seconds),
        (0_u64..200_000).prop_map(RetryAfter::Seconds),
        any::<i64>().prop_map(RetryAfter::At),
        (NOW..NOW + 200_000).prop_map(RetryAfter::At),
    ];
    let statuses = prop_oneof![Just(429), 500_u16..=504, 100_u16..=999];
    prop_oneof![
        prop::sample::select(vec![Forbidden, Dns, Connect, Tls, Timeout, Protocol]).prop_map(Outcome::Failed),
        (statuses, prop::option::of(retry_after))
            .prop_map(|(status, retry_after)| Outcome::Answered(Reply { retry_after, ..answered(status) })),
    ]
}

proptest! {
    #[test]
    fn every_wait_is_within_its_bounds(
        made in 0..ATTEMPTS, outcome in outcomes(), random in any::<[u8; 32]>(), now in any::<i64>(),
    ) {
        let now = Timestamp::from_millis(now);
        let Some(wait) = next_wait(made, &outcome, now, &random) else {
            prop_assert!(outcome.is_delivered());
            return Ok(());
        };
        let base = Duration::from_secs(BASES[usize::try_from(made).unwrap()]);
        prop_assert!(wait >= base * 4 / 5);
        prop_assert!(wait <= (base * 2).max(Duration::from_secs(60)));
        prop_assert!(wait < Duration::from_secs(86_400) * 6 / 5);
        if !matches!(&outcome, Outcome::Answered(reply) if reply.retry_after.is_some()) {
            prop_assert!(wait <= (base * 6 / 5).max(Duration::from_secs(60)));
        }
    }

    #[test]
    fn a_date_and_the_seconds_until_it_give_the_same_wait(
        made in 0..ATTEMPTS, ahead in 0_u32..200_000, random in any::<[u8; 32]>(),
    ) {
        let at = asking(503, RetryAfter::At(NOW + i64::from(ahead)));
        prop_assert_eq!(wait(made, &at, &random), wait(made, &asking(503, RetryAfter::Seconds(ahead.into())), &random));
    }

    #[test]
    fn only_digits_parse_as_seconds(text in any::<String>()) {
        if let Some(RetryAfter::Seconds(_)) = RetryAfter::parse(&text) {
            prop_assert!(text.bytes().all(|b| b.is_ascii_digit()));
        }
    }
}

#[test]
fn jitter_is_uniform() {
    let outcome = Outcome::Answered(answered(500));
    let mut tenths = [0; 10];
    for seed in 0..10_000_u32 {
        let random = digest("jitter", &[&seed.to_be_bytes()]);
        let wait = wait(9, &outcome, &random).unwrap().as_secs();
        tenths[usize::try_from((wait - 69_120) / 3_456).unwrap()] += 1;
    }
    assert!(tenths.iter().all(|count| (850..1150).contains(count)), "{tenths:?}");
}

#[test]
fn a_challenge_is_sent_three_times_within_five_minutes() {
    for random in [[0; 32], [255; 32]] {
        let waits: Vec<Duration> = (0..).map_while(|made| next_challenge_wait(made, &random)).collect();
        assert_eq!((waits.len(), waits[0]), (CHALLENGE_ATTEMPTS as usize, Duration::ZERO));
        // An attempt takes at most 15 s, and connecting 5 s.
        let longest = waits.iter().sum::<Duration>() + 3 * Duration::from_secs(15);
        assert!(longest <= Duration::from_mins(5), "{longest:?}");
    }
}
