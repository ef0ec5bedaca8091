//! Signatures of webhooks: Standard Webhooks 1.0.0, symmetric scheme `v1`
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>): base64 of
//! HMAC-SHA256 over `id.timestamp.body`. The published crate `standardwebhooks` 1.0.1 has no injectable clock, takes an
//! empty secret and overflows on an extreme timestamp, so it serves only as the tests' oracle.

use std::fmt;
use std::hint::black_box;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How far a message's timestamp may lie from our clock, in seconds, before or after, the limit itself included.
pub const TOLERANCE_SECONDS: i64 = 300;

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1";
const MAX_ID: usize = 128;
/// Seconds in 12 digits last until the year 33658 and can't overflow.
const MAX_TIMESTAMP_DIGITS: usize = 12;
const MAX_SIGNATURE_HEADER: usize = 4096;
/// Svix signs with up to ten earlier keys beside the current one; no sender known to us uses more.
const MAX_SIGNATURES: usize = 11;
/// SHA-256's block, which bounds a secret too: HMAC would hash a longer key down to 32 bytes.
const BLOCK: usize = 64;

/// A symmetric key of 24 to 64 bytes. Neither its `Debug` form nor a comparison gives anything of it away.
#[derive(Clone)]
pub struct SigningSecret(Vec<u8>);

/// Why a text isn't a signing secret. Holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not `whsec_` followed by canonical base64 (RFC 4648 §4, padded, nothing else).
    #[error("a signing secret is whsec_ followed by padded standard base64")]
    Malformed,
    /// Fewer than 24 bytes, or more than 64.
    #[error("a signing secret has 24 to 64 bytes")]
    Length,
}

impl SigningSecret {
    /// Reads the text form that senders and receivers exchange: `whsec_` and base64.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError::Malformed)?;
        let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| SecretError::Malformed)?;
        if (24..=BLOCK).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(SecretError::Length) }
    }

    /// The secret that 32 random or derived bytes are.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes.to_vec())
    }

    /// The text form, to be shown to its owner and never logged.
    pub fn to_whsec(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.0))
    }

    /// HMAC-SHA256 over the parts in a row. HMAC itself fills a short key up with zeros (RFC 2104 §2); doing so here is
    /// what lets the constructor take the key without a length to fail on.
    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut block = [0; BLOCK];
        block.iter_mut().zip(&self.0).for_each(|(to, from)| *to = *from);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        parts.iter().for_each(|part| mac.update(part));
        mac
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(redacted)")
    }
}

/// Why a message's signature isn't accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// One of the three headers is absent.
    #[error("a webhook header is missing")]
    Missing,
    /// One of the three headers isn't of its form.
    #[error("a webhook header is malformed")]
    Malformed,
    /// The timestamp is more than [`TOLERANCE_SECONDS`] from our clock.
    #[error("the webhook timestamp is out of tolerance")]
    TimestampOutOfTolerance,
    /// No `v1` signature is that of the message under any of the secrets.
    #[error("the webhook signature is invalid")]
    Invalid,
}

/// The headers `webhook-id`, `webhook-timestamp` and `webhook-signature` of one message, well formed but not yet
/// checked against anything.
#[derive(Clone, Debug)]
pub struct SignatureHeaders<'a> {
    id: &'a str,
    timestamp: &'a str,
    seconds: i64,
    /// The `v1` signatures alone.
    signatures: Vec<[u8; 32]>,
}

impl<'a> SignatureHeaders<'a> {
    /// Reads the headers, cheaply whatever they hold.
    ///
    /// - `id`: `^[A-Za-z0-9_-]{1,128}$`. Without a `.`, so that no two messages have the same signed bytes, and without
    ///   a `,`, so that a header sent twice and joined on the way isn't an id.
    /// - `timestamp`: Unix seconds, `^[1-9][0-9]{0,11}$`.
    /// - `signature`: at most 4096 bytes and 11 entries, one space between two, each `version,base64`. A `v1` entry
    ///   must be 32 bytes in padded standard base64; other versions are passed over, so a sender may add one.
    ///
    /// # Errors
    /// `Missing` when any is absent, else `Malformed` when any isn't as above. A signature header without a `v1` entry
    /// is well formed; [`verify`](Self::verify) refuses it.
    pub fn parse(
        id: Option<&'a str>,
        timestamp: Option<&'a str>,
        signature: Option<&'a str>,
    ) -> Result<Self, SignatureError> {
        let (Some(id), Some(timestamp), Some(signature)) = (id, timestamp, signature) else {
            return Err(SignatureError::Missing);
        };
        if !is_id(id) {
            return Err(SignatureError::Malformed);
        }
        let seconds = read_seconds(timestamp).ok_or(SignatureError::Malformed)?;
        let signatures = read_signatures(signature).ok_or(SignatureError::Malformed)?;
        Ok(Self { id, timestamp, seconds, signatures })
    }

    /// The message's id, the same on every attempt to deliver it. To be believed only after [`verify`](Self::verify).
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// Checks the timestamp against a clock, in Unix seconds, which may stand anywhere, before 1970 included.
    ///
    /// # Errors
    /// `TimestampOutOfTolerance` when the two are more than [`TOLERANCE_SECONDS`] apart.
    pub fn check_time(&self, now_unix_seconds: i64) -> Result<(), SignatureError> {
        let distance = now_unix_seconds.abs_diff(self.seconds);
        if distance <= TOLERANCE_SECONDS.unsigned_abs() { Ok(()) } else { Err(SignatureError::TimestampOutOfTolerance) }
    }

    /// Checks that one of the `v1` signatures is that of these headers and this body, as raw bytes, under one of the
    /// secrets. Several secrets are live while a sender rotates.
    ///
    /// Every signature is compared under every secret, each in constant time; and with no secret at all, as for a
    /// sender we don't know, one HMAC is computed all the same, so that the time taken doesn't tell it from a known one.
    ///
    /// # Errors
    /// `Invalid` when none matches, or there is no secret.
    pub fn verify(&self, secrets: &[SigningSecret], body: &[u8]) -> Result<(), SignatureError> {
        let stand_in = [SigningSecret::from_bytes([0; 32])];
        let known = !secrets.is_empty();
        let secrets = if known { secrets } else { &stand_in };
        let mut matched = false;
        for secret in secrets {
            let mac = secret.mac(&signed_parts(self.id, self.timestamp, body));
            for signature in &self.signatures {
                matched |= mac.clone().verify_slice(signature).is_ok();
            }
        }
        // The stand-in's key is public, so a match with it counts for nothing; opaque, lest the work be optimised away.
        if black_box(matched) && known { Ok(()) } else { Err(SignatureError::Invalid) }
    }
}

/// Signs a message: `v1,<base64>`, one entry of a `webhook-signature` header.
///
/// `id` must be one that [`SignatureHeaders::parse`] takes and `timestamp` positive Unix seconds, else no receiver that
/// is as strict will take the message.
pub fn sign(secret: &SigningSecret, id: &str, timestamp: i64, body: &[u8]) -> String {
    let mac = secret.mac(&signed_parts(id, &timestamp.to_string(), body));
    format!("{VERSION},{}", BASE64.encode(&mac.finalize().into_bytes()))
}

/// What is signed. The timestamp is the sender's own text, so that no two texts of one number share a signature.
fn signed_parts<'a>(id: &'a str, timestamp: &'a str, body: &'a [u8]) -> [&'a [u8]; 5] {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body]
}

fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn read_seconds(text: &str) -> Option<i64> {
    let digits = text.len() <= MAX_TIMESTAMP_DIGITS && text.bytes().all(|b| b.is_ascii_digit());
    if digits && !text.starts_with('0') { text.parse().ok() } else { None }
}

fn read_signatures(header: &str) -> Option<Vec<[u8; 32]>> {
    // Both limits before anything is decoded, so that a bad header costs next to nothing.
    if header.len() > MAX_SIGNATURE_HEADER || header.split(' ').count() > MAX_SIGNATURES {
        return None;
    }
    let mut signatures = Vec::new();
    for entry in header.split(' ') {
        let (version, encoded) = read_entry(entry)?;
        if version == VERSION {
            signatures.push(BASE64.decode(encoded.as_bytes()).ok()?.try_into().ok()?);
        }
    }
    Some(signatures)
}

fn read_entry(entry: &str) -> Option<(&str, &str)> {
    let (version, encoded) = entry.split_once(',')?;
    let one_comma = !version.is_empty() && !encoded.is_empty() && !encoded.contains(',');
    (one_comma && entry.bytes().all(|b| b.is_ascii_graphic())).then_some((version, encoded))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    use data_encoding::{BASE64_NOPAD, BASE64URL, HEXLOWER};
    use proptest::prelude::*;
    use standardwebhooks::Webhook;

    use super::SignatureError::{Invalid, Malformed, Missing, TimestampOutOfTolerance};
    use super::*;

    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const NOW: i64 = 1_649_367_553;
    const TIMESTAMP: &str = "1649367553";
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    fn secret() -> SigningSecret {
        SigningSecret::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap()
    }

    fn headers<'a>(
        id: &'a str,
        timestamp: &'a str,
        signature: &'a str,
    ) -> Result<SignatureHeaders<'a>, SignatureError> {
        SignatureHeaders::parse(Some(id), Some(timestamp), Some(signature))
    }

    /// All three checks, as the endpoint makes them.
    fn accept(
        id: &str,
        timestamp: &str,
        signature: &str,
        secrets: &[SigningSecret],
        body: &[u8],
    ) -> Result<(), SignatureError> {
        let headers = headers(id, timestamp, signature)?;
        headers.check_time(NOW)?;
        headers.verify(secrets, body)
    }

    fn accept_signature(signature: &str) -> Result<(), SignatureError> {
        accept(ID, TIMESTAMP, signature, &[secret()], BODY)
    }

    fn accept_body(body: &[u8]) -> Result<(), SignatureError> {
        accept(ID, TIMESTAMP, SIGNATURE, &[secret()], body)
    }

    #[test]
    fn the_vectors_of_the_rust_and_javascript_libraries_hold() {
        for (secret, id, timestamp, body, signature) in [
            ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", ID, NOW, BODY, SIGNATURE),
            (
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                br#"{"test": 2432232314}"#,
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ] {
            let secret = SigningSecret::parse(secret).unwrap();
            assert_eq!(sign(&secret, id, timestamp, body), signature);
            let timestamp = timestamp.to_string();
            assert_eq!(headers(id, &timestamp, signature).unwrap().verify(&[secret], body), Ok(()));
        }
    }

    #[test]
    fn the_vector_of_svix_holds_though_its_secret_is_too_short_for_us() {
        let text = "whsec_plJ3nmyCDGBKInavdOK15jsl";
        assert_eq!(SigningSecret::parse(text).err(), Some(SecretError::Length));
        let secret = SigningSecret(BASE64.decode(&text.as_bytes()[PREFIX.len()..]).unwrap());
        let body = br#"{"event_type":"ping","data":{"success":true}}"#;
        let expected = "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=";
        assert_eq!(sign(&secret, "msg_loFOjxBNrRLzqYUf", 1_731_705_121, body), expected);
    }

    #[test]
    fn the_primitive_is_hmac_sha256_as_in_rfc_4231_and_githubs_documentation() {
        let cases: [(&[u8], &[u8], &str); 5] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (
                &BASE64.decode(b"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGQ==").unwrap(),
                &[0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
            (
                b"It's a Secret to Everybody",
                b"Hello, World!",
                "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            ),
        ];
        for (key, data, expected) in cases {
            let mac = SigningSecret(key.to_vec()).mac(&[data]);
            assert_eq!(HEXLOWER.encode(&mac.finalize().into_bytes()), expected);
        }
    }

    #[test]
    fn a_key_filled_up_to_a_block_is_the_key_itself() {
        for length in 24..=BLOCK {
            let key: Vec<u8> = (1..).take(length).collect();
            let plain = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(b"x").finalize();
            assert_eq!(SigningSecret(key).mac(&[b"x"]).finalize(), plain, "{length}");
        }
    }

    #[test]
    fn a_secret_reads_back_what_it_writes() {
        for length in 24..=64 {
            let text = format!("whsec_{}", BASE64.encode(&vec![0xfb; length]));
            assert_eq!(SigningSecret::parse(&text).unwrap().to_whsec(), text);
        }
        assert_eq!(SigningSecret::from_bytes([7; 32]).to_whsec(), format!("whsec_{}", BASE64.encode(&[7; 32])));
    }

    #[test]
    fn a_text_that_is_not_a_secret_is_refused() {
        let bytes = [0xfb; 32];
        let padded = format!("whsec_{}", BASE64.encode(&bytes));
        for text in [
            "",
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "WHSEC_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "whsk_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "whsec_not base64 at all, not at all",
            &format!("whsec_{}", BASE64_NOPAD.encode(&bytes)),
            &format!("whsec_{}", BASE64URL.encode(&bytes)),
            // The last symbol carries bits that no byte has.
            &padded.replace("+w==", "+x==").replace("s=", "t="),
            &format!("{padded}\n"),
            &format!("{padded} "),
            &format!(" {padded}"),
            &padded.replace("whsec_", "whsec_\n"),
            &padded.replace("whsec_", "whsec_whsec_"),
        ] {
            assert_eq!(SigningSecret::parse(text).err(), Some(SecretError::Malformed), "{text:?}");
        }
        for length in [0, 1, 23, 65, 100_000] {
            let text = format!("whsec_{}", BASE64.encode(&vec![1; length]));
            assert_eq!(SigningSecret::parse(&text).err(), Some(SecretError::Length), "{length}");
        }
    }

    #[test]
    fn a_secret_shows_nothing_of_itself_when_debugged() {
        assert_eq!(format!("{:?}", SigningSecret::from_bytes([65; 32])), "SigningSecret(redacted)");
        assert_eq!(format!("{:?}", SigningSecret::parse("whsec_x").unwrap_err()), "Malformed");
    }

    #[test]
    fn each_header_is_required_and_an_absent_one_is_named_before_a_malformed_one() {
        let all = [Some(ID), Some(TIMESTAMP), Some(SIGNATURE)];
        assert_eq!(SignatureHeaders::parse(all[0], all[1], all[2]).unwrap().id(), ID);
        for absent in 0..3 {
            for others in [all, [Some(""); 3]] {
                let mut given = others;
                given[absent] = None;
                assert_eq!(SignatureHeaders::parse(given[0], given[1], given[2]).unwrap_err(), Missing);
            }
        }
    }

    #[test]
    fn an_id_is_1_to_128_plain_characters() {
        for id in ["a", "-", "_", "0", &"x".repeat(128)] {
            assert_eq!(headers(id, TIMESTAMP, SIGNATURE).unwrap().id(), id);
        }
        for id in [
            "",
            ".",
            "a.b",
            "a,b",
            "a, a",
            "a b",
            " a",
            "a ",
            "a\n",
            "a\0",
            "a/b",
            "a#b",
            "é",
            "😀",
            "ａ",
            &"x".repeat(129),
        ] {
            assert_eq!(headers(id, TIMESTAMP, SIGNATURE).unwrap_err(), Malformed, "{id:?}");
        }
    }

    #[test]
    fn a_timestamp_is_1_to_12_digits_without_a_leading_zero() {
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
            assert_eq!(headers(ID, timestamp, SIGNATURE).unwrap_err(), Malformed, "{timestamp:?}");
        }
    }

    #[test]
    fn a_timestamp_in_milliseconds_is_malformed_not_merely_late() {
        assert_eq!(accept(ID, "1649367553123", SIGNATURE, &[secret()], BODY), Err(Malformed));
    }

    #[test]
    fn a_timestamp_may_be_300_seconds_off_and_not_301() {
        let headers = headers(ID, TIMESTAMP, SIGNATURE).unwrap();
        for off in [-300, -299, -1, 0, 1, 299, 300] {
            assert_eq!(headers.check_time(NOW + off), Ok(()), "{off}");
        }
        for off in [-301, 301, -NOW, 1_000_000_000_000] {
            assert_eq!(headers.check_time(NOW + off), Err(TimestampOutOfTolerance), "{off}");
        }
    }

    #[test]
    fn a_clock_at_an_extreme_or_before_1970_neither_overflows_nor_lets_anything_pass() {
        for timestamp in ["1", TIMESTAMP, "999999999999"] {
            let headers = headers(ID, timestamp, SIGNATURE).unwrap();
            for now in [i64::MIN, i64::MIN + 1, -86_400, -300, i64::MAX - 1, i64::MAX] {
                assert_eq!(headers.check_time(now), Err(TimestampOutOfTolerance), "{timestamp} {now}");
            }
        }
        assert_eq!(headers(ID, "1", SIGNATURE).unwrap().check_time(-299), Ok(()));
    }

    #[test]
    fn a_signature_header_that_is_not_of_its_form_is_malformed() {
        let bytes = BASE64.decode(&SIGNATURE.as_bytes()[3..]).unwrap();
        let rest = &SIGNATURE[3..];
        let long = |length| format!("v1,{}", BASE64.encode(&vec![1; length]));
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
            // Two headers joined on the way.
            format!("{SIGNATURE},{SIGNATURE}"),
            format!("{SIGNATURE}, {SIGNATURE}"),
            format!("v1,{}", BASE64URL.encode(&bytes)),
            format!("v1,{}", BASE64_NOPAD.encode(&bytes)),
            format!("v1,{}", HEXLOWER.encode(&bytes)),
            // The last symbol carries bits that no byte has.
            SIGNATURE.replace("kw=", "kx="),
            long(0),
            long(31),
            long(33),
            long(64),
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
            assert_eq!(accept_signature(&signature), Err(Malformed), "{signature:?}");
        }
    }

    #[test]
    fn a_signature_header_at_its_limits_is_read() {
        let longest = format!("{SIGNATURE} v2,{}", "A".repeat(4096 - SIGNATURE.len() - 4));
        assert_eq!(longest.len(), 4096);
        assert_eq!(accept_signature(&longest), Ok(()));
        assert_eq!(accept_signature(&format!("{}{SIGNATURE}", "v1a,AAAA ".repeat(10))), Ok(()));
    }

    #[test]
    fn ten_thousand_signatures_cost_little() {
        let headers =
            [vec![SIGNATURE; 10_000].join(" "), " ".repeat(4096), "v1,A ".repeat(10_000), ",".repeat(1_000_000)];
        let start = Instant::now();
        for _ in 0..1_000 {
            for header in &headers {
                assert_eq!(accept_signature(header), Err(Malformed));
            }
        }
        // It takes 0.2 s unoptimised; the limit leaves room for a busy machine and none for work per entry.
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn one_valid_signature_among_several_is_enough_wherever_it_stands() {
        let other = sign(&SigningSecret::from_bytes([9; 32]), ID, NOW, BODY);
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
    fn one_matching_secret_among_several_is_enough_wherever_it_stands() {
        let other = || SigningSecret::from_bytes([9; 32]);
        for secrets in [vec![secret(), other()], vec![other(), secret()], vec![secret(), secret()]] {
            assert_eq!(accept(ID, TIMESTAMP, SIGNATURE, &secrets, BODY), Ok(()));
        }
        assert_eq!(accept(ID, TIMESTAMP, SIGNATURE, &[other()], BODY), Err(Invalid));
    }

    #[test]
    fn without_a_secret_nothing_is_valid_not_even_under_the_stand_ins_key() {
        let stand_in = SigningSecret::from_bytes([0; 32]);
        for signature in [SIGNATURE.to_owned(), sign(&stand_in, ID, NOW, BODY), "v2,AAAA".into()] {
            assert_eq!(accept(ID, TIMESTAMP, &signature, &[], BODY), Err(Invalid));
        }
    }

    #[test]
    fn a_right_signature_under_another_version_is_not_a_signature() {
        for version in ["v2", "v0", "v1a", "v11", "v01", "V1", "v", "1", "none", "v1=", "hmac-sha256", "\"v1\""] {
            assert_eq!(accept_signature(&SIGNATURE.replace("v1", version)), Err(Invalid), "{version}");
        }
        for version in [" v1", "v1 ", "\u{feff}v1", "v1\0", "", "v1,v1"] {
            assert_eq!(accept_signature(&SIGNATURE.replace("v1", version)), Err(Malformed), "{version:?}");
        }
    }

    #[test]
    fn a_body_changed_in_any_way_is_not_the_body_signed() {
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
    fn an_empty_body_and_a_body_that_is_not_text_can_be_signed() {
        for body in [&b""[..], &[0, 0xff, 0xfe], &[b'.'; 10]] {
            let signature = sign(&secret(), ID, NOW, body);
            assert_eq!(accept(ID, TIMESTAMP, &signature, &[secret()], body), Ok(()));
        }
    }

    #[test]
    fn bytes_cannot_move_between_id_timestamp_and_body() {
        let signature = sign(&secret(), "a", NOW, b"5.x");
        let shifted_timestamp = format!("{NOW}.5");
        assert_eq!(accept("a", &shifted_timestamp, &signature, &[secret()], b"x"), Err(Malformed));
        let signature = sign(&secret(), "a.1", NOW, b"x");
        assert_eq!(accept("a.1", TIMESTAMP, &signature, &[secret()], b"x"), Err(Malformed));
        let body = format!("{NOW}.x");
        assert_eq!(headers("a", "1", &signature).unwrap().verify(&[secret()], body.as_bytes()), Ok(()));
        assert_eq!(accept("a", "1", &signature, &[secret()], body.as_bytes()), Err(TimestampOutOfTolerance));
    }

    fn any_secret() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 24..=64)
    }

    const ANY_ID: &str = "[A-Za-z0-9_-]{1,128}";
    const ANY_TIMESTAMP: &str = "[1-9][0-9]{0,11}";

    proptest! {
        #[test]
        fn flipping_any_bit_of_a_signed_message_makes_it_refused(
            id in ANY_ID, seconds in NOW - 300..=NOW + 300, body in prop::collection::vec(any::<u8>(), 0..100),
            which in 0_usize..4, bit in any::<prop::sample::Index>(),
        ) {
            let timestamp = seconds.to_string();
            let signature = sign(&secret(), &id, seconds, &body);
            prop_assert_eq!(accept(&id, &timestamp, &signature, &[secret()], &body), Ok(()));

            let mut parts = [id.into_bytes(), timestamp.into_bytes(), signature.into_bytes(), body];
            prop_assume!(!parts[which].is_empty());
            let bit = bit.index(parts[which].len() * 8);
            parts[which][bit / 8] ^= 1 << (bit % 8);
            // A header that isn't text reaches no check at all.
            if let [Ok(id), Ok(timestamp), Ok(signature)] = [0, 1, 2].map(|at| std::str::from_utf8(&parts[at])) {
                prop_assert!(accept(id, timestamp, signature, &[secret()], &parts[3]).is_err());
            }
        }

        /// The signed bytes give back what they were made of, so no two messages share them.
        #[test]
        fn the_signed_bytes_of_an_accepted_message_are_those_of_no_other(
            id in ANY_ID, timestamp in ANY_TIMESTAMP, body in "[0-9.a]{0,20}|\\PC{0,20}",
        ) {
            prop_assert!(headers(&id, &timestamp, SIGNATURE).is_ok());
            let signed = signed_parts(&id, &timestamp, body.as_bytes()).concat();
            let mut parts = signed.splitn(3, |b| *b == b'.');
            prop_assert_eq!(parts.next(), Some(id.as_bytes()));
            prop_assert_eq!(parts.next(), Some(timestamp.as_bytes()));
            prop_assert_eq!(parts.next(), Some(body.as_bytes()));
        }

        /// From alphabets so small that pairs with the same signed bytes would be found.
        #[test]
        fn two_accepted_messages_with_the_same_signed_bytes_are_the_same(
            one in ("[1.]{1,3}", "[1.]{1,3}", "[1.]{0,3}"), two in ("[1.]{1,3}", "[1.]{1,3}", "[1.]{0,3}"),
        ) {
            let accepted = |it: &(String, String, String)| headers(&it.0, &it.1, SIGNATURE).is_ok();
            let signed = |it: &(String, String, String)| signed_parts(&it.0, &it.1, it.2.as_bytes()).concat();
            if accepted(&one) && accepted(&two) && signed(&one) == signed(&two) {
                prop_assert_eq!(one, two);
            }
        }

        #[test]
        fn arbitrary_headers_never_panic(id in any::<String>(), timestamp in any::<String>(), signature in any::<String>()) {
            for (id, timestamp, signature) in [
                (id.as_str(), TIMESTAMP, SIGNATURE), (ID, timestamp.as_str(), SIGNATURE), (ID, TIMESTAMP, signature.as_str()),
            ] {
                let _ = accept(id, timestamp, signature, &[secret()], BODY);
            }
        }

        #[test]
        fn the_reference_implementation_signs_as_we_do(
            key in any_secret(), id in ANY_ID, seconds in 1_i64..1_000_000_000_000, body in any::<String>(),
        ) {
            let ours = sign(&SigningSecret(key.clone()), &id, seconds, body.as_bytes());
            let theirs = Webhook::from_bytes(key).unwrap().sign(&id, seconds, body.as_bytes()).unwrap();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn the_reference_implementation_accepts_what_we_sign_and_we_accept_what_it_signs(
            key in any_secret(), other in any_secret(), id in ANY_ID, off in -290_i64..=290, body in any::<String>(),
        ) {
            prop_assume!(key != other);
            let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
            let timestamp = (now + off).to_string();
            let body = body.as_bytes();
            let secret = SigningSecret::parse(&format!("whsec_{}", BASE64.encode(&key))).unwrap();
            let them = Webhook::new(&secret.to_whsec()).unwrap();

            let ours = sign(&secret, &id, now + off, body);
            let mut sent = http::HeaderMap::new();
            for (name, value) in [("webhook-id", &id), ("webhook-timestamp", &timestamp), ("webhook-signature", &ours)] {
                sent.insert(name, value.parse().unwrap());
            }
            prop_assert!(them.verify(body, &sent).is_ok());
            prop_assert!(Webhook::from_bytes(other.clone()).unwrap().verify(body, &sent).is_err());

            let theirs = them.sign(&id, now + off, body).unwrap();
            let received = headers(&id, &timestamp, &theirs).unwrap();
            prop_assert_eq!(received.check_time(now), Ok(()));
            prop_assert_eq!(received.verify(&[secret], body), Ok(()));
            prop_assert_eq!(received.verify(&[SigningSecret(other)], body), Err(Invalid));
        }
    }
}
