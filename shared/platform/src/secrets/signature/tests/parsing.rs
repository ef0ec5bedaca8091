//! The form of each header.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, HEXLOWER};

use super::super::SignatureError::{Malformed, Missing, TimestampOutOfTolerance};
use super::super::SignatureHeader::{Id, Signature, Timestamp};
use super::super::SignatureHeaders;
use super::{ID, NOW, SIGNATURE, TIMESTAMP, accept_signature, headers};

#[test]
fn each_header_is_required_and_missing_is_reported_before_malformed() {
    let all = [Some(ID), Some(TIMESTAMP), Some(SIGNATURE)];
    assert_eq!(SignatureHeaders::parse(all[0], all[1], all[2]).unwrap().id(), ID);
    for (absent, header) in [Id, Timestamp, Signature].into_iter().enumerate() {
        for others in [all, [Some(""); 3]] {
            let mut given = others;
            given[absent] = None;
            assert_eq!(SignatureHeaders::parse(given[0], given[1], given[2]).unwrap_err(), Missing(header));
        }
    }
}

#[test]
fn an_id_has_1_to_128_letters_digits_underscores_and_hyphens() {
    for id in ["a", "-", "_", "0", &"x".repeat(128)] {
        assert_eq!(headers(id, TIMESTAMP, SIGNATURE).unwrap().id(), id);
    }
    #[rustfmt::skip]
    let malformed = [
        "", ".", "a.b", "a,b", "a, a", "a b", " a", "a ", "a\n", "a\0", "a/b", "a#b", "é", "😀", "ａ", &"x".repeat(129),
    ];
    for id in malformed {
        assert_eq!(headers(id, TIMESTAMP, SIGNATURE).unwrap_err(), Malformed(Id), "{id:?}");
    }
}

/// 13 digits are milliseconds, which must not pass as a time in the far future.
#[test]
fn a_timestamp_has_1_to_12_digits_and_no_leading_zero() {
    for timestamp in ["1", "9", "10", "1649367553", "999999999999"] {
        assert!(headers(ID, timestamp, SIGNATURE).is_ok(), "{timestamp}");
    }
    #[rustfmt::skip]
    let malformed = [
        "", "0", "00", "01", "0001649367553", "+1", "-1", "-9223372036854775808", "9223372036854775807",
        "18446744073709551616", "1000000000000", "1649367553000", "1e9", "1.0", "1_000", "0x1", " 1", "1 ",
        "1\n", "1\0", "1,1", "١", "１", "NaN", "2022-04-07T21:39:13Z", &"1".repeat(100_000),
    ];
    for timestamp in malformed {
        assert_eq!(headers(ID, timestamp, SIGNATURE).unwrap_err(), Malformed(Timestamp), "{timestamp:?}");
    }
}

#[test]
fn a_timestamp_may_differ_by_300_seconds_but_not_by_301() {
    let headers = headers(ID, TIMESTAMP, SIGNATURE).unwrap();
    for difference in [-300, -299, -1, 0, 1, 299, 300] {
        assert_eq!(headers.check_time(NOW + difference), Ok(()), "{difference}");
    }
    for difference in [-301, 301, -NOW, 1_000_000_000_000] {
        assert_eq!(headers.check_time(NOW + difference), Err(TimestampOutOfTolerance), "{difference}");
    }
}

#[test]
fn an_extreme_clock_neither_overflows_nor_accepts_a_timestamp() {
    for timestamp in ["1", TIMESTAMP, "999999999999"] {
        let headers = headers(ID, timestamp, SIGNATURE).unwrap();
        for now in [i64::MIN, i64::MIN + 1, -86_400, -300, i64::MAX - 1, i64::MAX] {
            assert_eq!(headers.check_time(now), Err(TimestampOutOfTolerance), "{timestamp} {now}");
        }
    }
    assert_eq!(headers(ID, "1", SIGNATURE).unwrap().check_time(-299), Ok(()));
}

#[test]
fn a_signature_header_of_another_form_is_malformed() {
    let bytes = BASE64.decode(&SIGNATURE.as_bytes()[3..]).unwrap();
    let rest = &SIGNATURE[3..];
    let of_length = |length| format!("v1,{}", BASE64.encode(&vec![1; length]));
    for signature in [
        String::new(),
        " ".into(),
        ",".into(),
        "v1".into(),
        "v1,".into(),
        "v2,".into(),
        "v2,a,b".into(),
        format!(",{rest}"),
        "v1,AAAA".into(),
        SIGNATURE[..10].into(),
        SIGNATURE[..SIGNATURE.len() - 1].into(),
        format!("v1={rest}"),
        format!("v1,,{rest}"),
        format!("v1,{rest},"),
        // Two headers joined by a proxy.
        format!("{SIGNATURE},{SIGNATURE}"),
        format!("{SIGNATURE}, {SIGNATURE}"),
        format!("v1,{}", BASE64URL.encode(&bytes)),
        format!("v1,{}", BASE64_NOPAD.encode(&bytes)),
        format!("v1,{}", HEXLOWER.encode(&bytes)),
        // The last symbol has bits that belong to no byte.
        SIGNATURE.replace("kw=", "kx="),
        of_length(0),
        of_length(31),
        of_length(33),
        of_length(64),
        format!("{SIGNATURE} "),
        format!(" {SIGNATURE}"),
        format!("{SIGNATURE}  {SIGNATURE}"),
        format!("{SIGNATURE}\t{SIGNATURE}"),
        format!("{SIGNATURE}\n"),
        format!("{SIGNATURE}\0"),
        format!("v1, {rest}"),
        format!("{SIGNATURE} v1"),
        format!("{SIGNATURE} v1,AAAA"),
        format!("{SIGNATURE} v2,é"),
        format!("{SIGNATURE} v2,a\tb"),
        [SIGNATURE; 12].join(" "),
        ["v2,A"; 12].join(" "),
        format!("v2,{}", "A".repeat(4094)),
    ] {
        assert_eq!(accept_signature(&signature), Err(Malformed(Signature)), "{signature:?}");
    }
}

#[test]
fn a_signature_header_of_exactly_4096_bytes_or_11_entries_is_accepted() {
    let longest = format!("{SIGNATURE} v2,{}", "A".repeat(4096 - SIGNATURE.len() - 4));
    assert_eq!(longest.len(), 4096);
    assert_eq!(accept_signature(&longest), Ok(()));
    assert_eq!(accept_signature(&format!("{}{SIGNATURE}", "v1a,AAAA ".repeat(10))), Ok(()));
}
