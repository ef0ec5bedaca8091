//! The three headers of a signed message.

use std::fmt;
use std::hint::black_box;

use data_encoding::BASE64;
use hmac::Mac;

use SignatureHeader::{Id, Signature, Timestamp};

use super::{SigningSecret, VERSION, signed_parts};

/// How far a message's timestamp may be from our clock, in seconds, in both directions.
pub const TOLERANCE_SECONDS: i64 = 300;

const MAX_ID: usize = 128;
/// 12 digits of seconds reach the year 33658 and cannot overflow.
const MAX_TIMESTAMP_DIGITS: usize = 12;
const MAX_SIGNATURE_HEADER: usize = 4096;
/// Svix signs with the current key and up to ten earlier ones. We know of no sender that uses more.
const MAX_SIGNATURES: usize = 11;

/// One of the three headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureHeader {
    Id,
    Timestamp,
    Signature,
}

impl SignatureHeader {
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "webhook-id",
            Self::Timestamp => "webhook-timestamp",
            Self::Signature => "webhook-signature",
        }
    }

    /// The form that it must have, for a person.
    pub fn form(self) -> &'static str {
        match self {
            Self::Id => "1 to 128 of `A-Z a-z 0-9 _ -`",
            Self::Timestamp => "Unix time in whole seconds, not milliseconds: 1 to 12 digits without a leading zero",
            Self::Signature => {
                "one to 11 entries separated by single spaces, each `v1,` and a base64 HMAC-SHA256 (44 characters), at most \
                 4096 bytes in all"
            }
        }
    }
}

impl fmt::Display for SignatureHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a message is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the header {0} is missing")]
    Missing(SignatureHeader),
    #[error("the header {0} is malformed")]
    Malformed(SignatureHeader),
    #[error("the webhook timestamp differs from the current time by more than {TOLERANCE_SECONDS} s")]
    TimestampOutOfTolerance,
    #[error("no webhook signature is valid")]
    Invalid,
}

/// The headers `webhook-id`, `webhook-timestamp` and `webhook-signature` of one message: well formed, not yet verified.
#[derive(Clone, Debug)]
pub struct SignatureHeaders<'a> {
    id: &'a str,
    timestamp: &'a str,
    seconds: i64,
    /// The `v1` signatures only.
    signatures: Vec<[u8; 32]>,
}

impl<'a> SignatureHeaders<'a> {
    /// Parses the headers. Limits are checked first, so parsing is cheap for any input.
    ///
    /// - `id`: `^[A-Za-z0-9_-]{1,128}$`. Without `.`, so that two messages never have the same signed bytes. Without `,`, so
    ///   that two headers joined by a proxy are not an id.
    /// - `timestamp`: Unix seconds, `^[1-9][0-9]{0,11}$`.
    /// - `signature`: at most 4096 bytes and 11 entries, separated by one space, each `version,base64`. A `v1` entry must be
    ///   32 bytes in padded standard base64. Entries of other versions are ignored, so senders may add them.
    ///
    /// # Errors
    /// `Missing` if a header is absent, `Malformed` if one has another form. A signature header without a `v1` entry is well
    /// formed, but [`verify`](Self::verify) rejects it.
    pub fn parse(
        id: Option<&'a str>,
        timestamp: Option<&'a str>,
        signature: Option<&'a str>,
    ) -> Result<Self, SignatureError> {
        let id = id.ok_or(SignatureError::Missing(Id))?;
        let timestamp = timestamp.ok_or(SignatureError::Missing(Timestamp))?;
        let signature = signature.ok_or(SignatureError::Missing(Signature))?;
        if !is_id(id) {
            return Err(SignatureError::Malformed(Id));
        }
        let seconds = parse_seconds(timestamp).ok_or(SignatureError::Malformed(Timestamp))?;
        let signatures = parse_signatures(signature).ok_or(SignatureError::Malformed(Signature))?;
        Ok(Self { id, timestamp, seconds, signatures })
    }

    /// The message's id. It is the same for every delivery attempt. Trust it only after [`verify`](Self::verify).
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// Compares the timestamp with a clock in Unix seconds. Any clock value is allowed, even one before 1970.
    ///
    /// # Errors
    /// `TimestampOutOfTolerance` if they differ by more than [`TOLERANCE_SECONDS`].
    pub fn check_time(&self, now_unix_seconds: i64) -> Result<(), SignatureError> {
        let distance = now_unix_seconds.abs_diff(self.seconds);
        if distance <= TOLERANCE_SECONDS.unsigned_abs() { Ok(()) } else { Err(SignatureError::TimestampOutOfTolerance) }
    }

    /// Checks that one `v1` signature is valid for these headers and the raw bytes of this body, under one of the secrets.
    /// There are several secrets while a sender rotates them.
    ///
    /// Every signature is compared under every secret in constant time. Without a secret, one HMAC is still computed, so the
    /// time does not reveal whether the sender is known.
    ///
    /// # Errors
    /// `Invalid` if no signature matches, or if there is no secret.
    pub fn verify(&self, secrets: &[SigningSecret], body: &[u8]) -> Result<(), SignatureError> {
        let placeholder = [SigningSecret::from_bytes(&[0; 32])];
        let known = !secrets.is_empty();
        let secrets = if known { secrets } else { &placeholder };
        let mut matched = false;
        for secret in secrets {
            let mac = secret.mac(&signed_parts(self.id, self.timestamp, body));
            for signature in &self.signatures {
                matched |= mac.clone().verify_slice(signature).is_ok();
            }
        }
        // The placeholder is public, so a match under it does not count. `black_box` keeps the compiler from removing the work.
        if black_box(matched) && known { Ok(()) } else { Err(SignatureError::Invalid) }
    }
}

fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn parse_seconds(text: &str) -> Option<i64> {
    let digits = text.len() <= MAX_TIMESTAMP_DIGITS && text.bytes().all(|b| b.is_ascii_digit());
    if digits && !text.starts_with('0') { text.parse().ok() } else { None }
}

fn parse_signatures(header: &str) -> Option<Vec<[u8; 32]>> {
    if header.len() > MAX_SIGNATURE_HEADER || header.split(' ').count() > MAX_SIGNATURES {
        return None;
    }
    let mut signatures = Vec::new();
    for entry in header.split(' ') {
        let (version, encoded) = parse_entry(entry)?;
        if version == VERSION {
            signatures.push(BASE64.decode(encoded.as_bytes()).ok()?.try_into().ok()?);
        }
    }
    Some(signatures)
}

fn parse_entry(entry: &str) -> Option<(&str, &str)> {
    let (version, encoded) = entry.split_once(',')?;
    let one_comma = !version.is_empty() && !encoded.is_empty() && !encoded.contains(',');
    (one_comma && entry.bytes().all(|b| b.is_ascii_graphic())).then_some((version, encoded))
}
