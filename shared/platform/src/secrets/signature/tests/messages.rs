//! Which messages are accepted.

use super::super::SignatureError::{Invalid, Malformed, TimestampOutOfTolerance};
use super::super::SignatureHeader::{Id, Signature, Timestamp};
use super::super::{SignatureError, SigningSecret, sign};
use super::{BODY, ID, NOW, SIGNATURE, TIMESTAMP, accept, accept_signature, headers, secret};

fn accept_body(body: &[u8]) -> Result<(), SignatureError> {
    accept(ID, TIMESTAMP, SIGNATURE, &[secret()], body)
}

fn other_secret() -> SigningSecret {
    SigningSecret::from_bytes(&[9; 32])
}

#[test]
fn one_valid_signature_is_enough_at_any_position() {
    let other = sign(&other_secret(), ID, NOW, BODY);
    for several in [
        format!("{SIGNATURE} {other}"),
        format!("{other} {SIGNATURE}"),
        format!("v1a,AAAA {other} v99,x {SIGNATURE} {other}"),
        format!("{SIGNATURE} {SIGNATURE}"),
    ] {
        assert_eq!(accept_signature(&several), Ok(()), "{several}");
    }
    assert_eq!(accept_signature(&format!("{other} {other}")), Err(Invalid));
    assert_eq!(accept_signature(&other), Err(Invalid));
}

#[test]
fn one_matching_secret_is_enough_at_any_position() {
    for secrets in [vec![secret(), other_secret()], vec![other_secret(), secret()], vec![secret(), secret()]] {
        assert_eq!(accept(ID, TIMESTAMP, SIGNATURE, &secrets, BODY), Ok(()));
    }
    assert_eq!(accept(ID, TIMESTAMP, SIGNATURE, &[other_secret()], BODY), Err(Invalid));
}

#[test]
fn without_a_secret_no_signature_is_valid_not_even_one_by_the_placeholder() {
    let placeholder = SigningSecret::from_bytes(&[0; 32]);
    for signature in [SIGNATURE.to_owned(), sign(&placeholder, ID, NOW, BODY), "v2,AAAA".into()] {
        assert_eq!(accept(ID, TIMESTAMP, &signature, &[], BODY), Err(Invalid));
    }
}

#[test]
fn a_valid_signature_labeled_with_another_version_does_not_count() {
    for version in ["v2", "v0", "v1a", "v11", "v01", "V1", "v", "1", "none", "v1=", "hmac-sha256", "\"v1\""] {
        assert_eq!(accept_signature(&SIGNATURE.replace("v1", version)), Err(Invalid), "{version}");
    }
    for version in [" v1", "v1 ", "\u{feff}v1", "v1\0", "", "v1,v1"] {
        assert_eq!(accept_signature(&SIGNATURE.replace("v1", version)), Err(Malformed(Signature)), "{version:?}");
    }
}

#[test]
fn a_body_with_other_bytes_is_rejected_even_if_the_json_is_equal() {
    assert_eq!(accept_body(BODY), Ok(()));
    for body in [
        "",
        "null",
        r#"{"email":"test@example.com","username":"test_user"} "#,
        r#"{"email": "test@example.com","username":"test_user"}"#,
        "{\"email\":\"test@example.com\",\"username\":\"test_user\"}\r\n",
        "\u{feff}{\"email\":\"test@example.com\",\"username\":\"test_user\"}",
        r#"{"username":"test_user","email":"test@example.com"}"#,
        r#"{"email":"test@example.com","username":"test_use\u0072"}"#,
    ] {
        assert_eq!(accept_body(body.as_bytes()), Err(Invalid), "{body:?}");
    }
}

#[test]
fn an_empty_body_and_a_binary_body_can_be_signed() {
    for body in [&b""[..], &[0, 0xff, 0xfe], &[b'.'; 10]] {
        let signature = sign(&secret(), ID, NOW, body);
        assert_eq!(accept(ID, TIMESTAMP, &signature, &[secret()], body), Ok(()));
    }
}

#[test]
fn bytes_cannot_move_between_id_timestamp_and_body() {
    let signature = sign(&secret(), "a", NOW, b"5.x");
    let shifted_timestamp = format!("{NOW}.5");
    assert_eq!(accept("a", &shifted_timestamp, &signature, &[secret()], b"x"), Err(Malformed(Timestamp)));
    let signature = sign(&secret(), "a.1", NOW, b"x");
    assert_eq!(accept("a.1", TIMESTAMP, &signature, &[secret()], b"x"), Err(Malformed(Id)));
    // Here only the timestamp's tolerance keeps the two messages apart.
    let body = format!("{NOW}.x");
    assert_eq!(headers("a", "1", &signature).unwrap().verify(&[secret()], body.as_bytes()), Ok(()));
    assert_eq!(accept("a", "1", &signature, &[secret()], body.as_bytes()), Err(TimestampOutOfTolerance));
}
