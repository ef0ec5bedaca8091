//! Says what is wrong with a signed message. Besides the checks of a receiver, it tries the usual mistakes of senders and
//! receivers, so that a developer learns which one it is.

use data_encoding::BASE64;
use domain::Timestamp;
use platform::secrets::signature::{SignatureError, SignatureHeader, SignatureHeaders, SigningSecret};
use serde_json::Value;

/// The three headers as they were received.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub id: Option<String>,
    pub timestamp: Option<String>,
    pub signature: Option<String>,
}

/// Why a message is not valid. The texts say what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("the header {0} is missing")]
    Missing(SignatureHeader),
    #[error("the header {header} is malformed: it must be {form}", header = .0, form = .0.form())]
    Malformed(SignatureHeader),
    #[error("the message is {0} s old, and at most 300 s are allowed. Use --ignore-time to check an older one")]
    TooOld(i64),
    #[error("the message is from {0} s in the future, and at most 300 s are allowed. Compare the clocks")]
    TooNew(i64),
    #[error("no signature is valid for this secret, these headers and this body{}", .0.map(Hint::text).unwrap_or_default())]
    Signature(Option<Hint>),
}

/// A mistake that explains an invalid signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// The body that was signed has no line end after it.
    LineEndAdded,
    /// The body that was signed has a line end after it.
    LineEndMissing,
    LineEndsChanged,
    /// The body was parsed and written again.
    Rewritten,
    /// The key is the text of the secret, without decoding.
    SecretNotDecoded,
    /// The key is the text after `whsec_`, without decoding.
    EncodedPartAsKey,
}

impl Hint {
    fn text(self) -> &'static str {
        match self {
            Self::LineEndAdded => {
                ". It is valid for the body without the line end after it: check the bytes exactly as they arrived"
            }
            Self::LineEndMissing => {
                ". It is valid for the body with a line end after it: check the bytes exactly as they arrived"
            }
            Self::LineEndsChanged => {
                ". It is valid for the body with other line ends: check the bytes exactly as they arrived"
            }
            Self::Rewritten => {
                ". It is valid for the same JSON in another form: check the bytes exactly as they arrived, before parsing"
            }
            Self::SecretNotDecoded => {
                ". The sender used the whole text of the secret as the key: decode the part after whsec_ from base64"
            }
            Self::EncodedPartAsKey => {
                ". The sender did not decode the secret: decode the part after whsec_ from base64"
            }
        }
    }
}

/// Checks a message. `now` is `None` to ignore its age.
///
/// # Errors
/// [`Wrong`], the first thing that is wrong.
pub fn check(received: &Received, body: &[u8], secrets: &[SigningSecret], now: Option<Timestamp>) -> Result<(), Wrong> {
    let parts = [&received.id, &received.timestamp, &received.signature].map(Option::as_deref);
    let headers = SignatureHeaders::parse(parts[0], parts[1], parts[2]).map_err(wrong)?;
    if headers.verify(secrets, body).is_err() {
        return Err(Wrong::Signature(hint(&headers, body, secrets)));
    }
    let Some(now) = now.map(Timestamp::seconds) else { return Ok(()) };
    match headers.check_time(now) {
        Ok(()) => Ok(()),
        Err(_) => {
            let age = now - received.timestamp.as_deref().and_then(|text| text.parse().ok()).unwrap_or(now);
            Err(if age > 0 { Wrong::TooOld(age) } else { Wrong::TooNew(-age) })
        }
    }
}

fn wrong(error: SignatureError) -> Wrong {
    match error {
        SignatureError::Missing(header) => Wrong::Missing(header),
        SignatureError::Malformed(header) => Wrong::Malformed(header),
        // Parsing returns neither.
        SignatureError::TimestampOutOfTolerance | SignatureError::Invalid => Wrong::Signature(None),
    }
}

fn hint(headers: &SignatureHeaders<'_>, body: &[u8], secrets: &[SigningSecret]) -> Option<Hint> {
    let of_body = bodies(body).into_iter().find(|(other, _)| headers.verify(secrets, other).is_ok());
    let of_secret = || {
        other_secrets(secrets).into_iter().find(|(other, _)| headers.verify(std::slice::from_ref(other), body).is_ok())
    };
    of_body.map(|(_, hint)| hint).or_else(|| of_secret().map(|(_, hint)| hint))
}

/// Other forms of a body, each with the mistake that leads to the given one.
fn bodies(body: &[u8]) -> Vec<(Vec<u8>, Hint)> {
    let text = String::from_utf8_lossy(body);
    let without = text.strip_suffix('\n').map(|rest| rest.strip_suffix('\r').unwrap_or(rest));
    let mut bodies = vec![
        ([body, b"\n"].concat(), Hint::LineEndMissing),
        ([body, b"\r\n"].concat(), Hint::LineEndMissing),
        (text.replace("\r\n", "\n").into_bytes(), Hint::LineEndsChanged),
        (text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes(), Hint::LineEndsChanged),
    ];
    bodies.extend(without.map(|rest| (rest.as_bytes().to_vec(), Hint::LineEndAdded)));
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        bodies.push((json.to_string().into_bytes(), Hint::Rewritten));
        bodies.push((format!("{json:#}").into_bytes(), Hint::Rewritten));
    }
    bodies
}

/// The keys of senders that do not decode a secret.
fn other_secrets(secrets: &[SigningSecret]) -> Vec<(SigningSecret, Hint)> {
    let key = |text: &str| SigningSecret::parse(&format!("whsec_{}", BASE64.encode(text.as_bytes()))).ok();
    let mut others = Vec::new();
    for secret in secrets {
        let text = secret.to_whsec();
        let encoded = text.strip_prefix("whsec_").unwrap_or_default();
        others.extend(key(&text).map(|key| (key, Hint::SecretNotDecoded)));
        others.extend(key(encoded).map(|key| (key, Hint::EncodedPartAsKey)));
    }
    others
}

#[cfg(test)]
mod tests {
    use platform::secrets::signature::sign;

    use super::*;

    const BODY: &str = "{\n  \"type\": \"a\",\n  \"data\": {}\n}";
    const NOW: i64 = 1_795_369_200;

    fn secret() -> SigningSecret {
        SigningSecret::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap()
    }

    fn signed(secret: &SigningSecret, body: &str) -> Received {
        let signature = sign(secret, "msg_1", NOW, body.as_bytes());
        Received { id: Some("msg_1".into()), timestamp: Some(NOW.to_string()), signature: Some(signature) }
    }

    fn checked(received: &Received, body: &str, age: i64) -> Result<(), Wrong> {
        check(received, body.as_bytes(), &[secret()], Some(Timestamp::from_millis((NOW + age) * 1_000)))
    }

    #[test]
    fn a_valid_message_is_valid_for_five_minutes() {
        let received = signed(&secret(), BODY);
        for (age, result) in
            [(0, Ok(())), (300, Ok(())), (301, Err(Wrong::TooOld(301))), (-302, Err(Wrong::TooNew(302)))]
        {
            assert_eq!(checked(&received, BODY, age), result);
        }
        assert_eq!(check(&received, BODY.as_bytes(), &[secret()], None), Ok(()));
    }

    #[test]
    fn a_header_that_is_missing_or_malformed_is_named_with_its_form() {
        let valid = signed(&secret(), BODY);
        let milliseconds = Received { timestamp: Some(format!("{NOW}000")), ..valid.clone() };
        let wrong = checked(&milliseconds, BODY, 0).unwrap_err();
        assert_eq!(wrong, Wrong::Malformed(SignatureHeader::Timestamp));
        assert!(wrong.to_string().contains("whole seconds, not milliseconds"), "{wrong}");
        let unsigned = Received { signature: None, ..valid };
        assert_eq!(checked(&unsigned, BODY, 0), Err(Wrong::Missing(SignatureHeader::Signature)));
        assert_eq!(checked(&Received::default(), BODY, 0), Err(Wrong::Missing(SignatureHeader::Id)));
    }

    #[test]
    fn usual_mistakes_with_the_body_are_recognized() {
        let compact = serde_json::from_str::<Value>(BODY).unwrap().to_string();
        for (sent, arrived, hint) in [
            (BODY.to_owned(), format!("{BODY}\n"), Hint::LineEndAdded),
            (format!("{BODY}\n"), BODY.to_owned(), Hint::LineEndMissing),
            (BODY.replace('\n', "\r\n"), BODY.to_owned(), Hint::LineEndsChanged),
            (compact, BODY.to_owned(), Hint::Rewritten),
        ] {
            let wrong = checked(&signed(&secret(), &sent), &arrived, 0).unwrap_err();
            assert_eq!(wrong, Wrong::Signature(Some(hint)));
        }
        let other = checked(&signed(&secret(), BODY), "{}", 0).unwrap_err();
        assert_eq!(other, Wrong::Signature(None));
    }

    #[test]
    fn a_key_that_was_not_decoded_is_recognized() {
        let text = secret().to_whsec();
        let key = |text: &str| SigningSecret::parse(&format!("whsec_{}", BASE64.encode(text.as_bytes()))).unwrap();
        for (used, hint) in [(&text[..], Hint::SecretNotDecoded), (&text[6..], Hint::EncodedPartAsKey)] {
            let wrong = checked(&signed(&key(used), BODY), BODY, 0).unwrap_err();
            assert_eq!(wrong, Wrong::Signature(Some(hint)));
            assert!(wrong.to_string().contains("decode the part after whsec_"), "{wrong}");
        }
    }
}
