//! Signing secrets.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
/// The block of SHA-256 in bytes. A secret is no longer, because HMAC would hash a longer key down to 32 bytes.
const BLOCK: usize = 64;
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=BLOCK;

/// A symmetric key of 24 to 64 bytes.
#[derive(Clone, Debug)]
pub struct SigningSecret(SecretSlice<u8>);

/// Why a text is not a signing secret. The error contains nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not `whsec_` followed by canonical base64 (RFC 4648 §4, padded).
    #[error("a signing secret is whsec_ followed by padded standard base64")]
    Malformed,
    #[error("a signing secret has 24 to 64 bytes")]
    Length,
}

impl SigningSecret {
    /// Parses the form that senders and receivers exchange: `whsec_` and base64.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError::Malformed)?;
        let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| SecretError::Malformed)?;
        let secret = Self(bytes.into());
        if LENGTHS.contains(&secret.0.expose_secret().len()) { Ok(secret) } else { Err(SecretError::Length) }
    }

    /// The secret that consists of these random or derived bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(bytes.to_vec().into())
    }

    /// The exchanged form, in plain text. Only the secret's owner may see it.
    pub fn to_whsec(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(self.0.expose_secret()))
    }

    /// HMAC-SHA256 over the concatenated parts. HMAC pads a short key with zeros (RFC 2104 §2). We pad it here, because the
    /// constructor for a key of one block cannot fail.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        #[cfg(feature = "describe")]
        crate::secrets::count::signature();
        let mut block = Zeroizing::new([0; BLOCK]);
        block.iter_mut().zip(self.0.expose_secret()).for_each(|(to, from)| *to = *from);
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        parts.iter().for_each(|part| mac.update(part));
        mac
    }

    /// A secret of any length, for test vectors and the reference implementation.
    #[cfg(test)]
    pub(super) fn from_key(key: &[u8]) -> Self {
        Self(key.to_vec().into())
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64_NOPAD, BASE64URL, HEXLOWER};

    use super::*;

    #[test]
    fn parsing_and_formatting_are_inverse() {
        for length in LENGTHS {
            let text = format!("whsec_{}", BASE64.encode(&vec![0xfb; length]));
            assert_eq!(SigningSecret::parse(&text).unwrap().to_whsec(), text);
        }
        assert_eq!(SigningSecret::from_bytes(&[7; 32]).to_whsec(), format!("whsec_{}", BASE64.encode(&[7; 32])));
    }

    #[test]
    fn a_text_of_another_form_is_rejected() {
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
            // The last symbol has bits that belong to no byte.
            &padded.replace("+w==", "+x==").replace("s=", "t="),
            &format!("{padded}\n"),
            &format!("{padded} "),
            &format!(" {padded}"),
            &padded.replace("whsec_", "whsec_\n"),
            &padded.replace("whsec_", "whsec_whsec_"),
        ] {
            assert_eq!(SigningSecret::parse(text).err(), Some(SecretError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn a_secret_that_is_too_short_or_too_long_is_rejected() {
        for length in [0, 1, 23, 65, 100_000] {
            let text = format!("whsec_{}", BASE64.encode(&vec![1; length]));
            assert_eq!(SigningSecret::parse(&text).err(), Some(SecretError::Length), "{length}");
        }
    }

    #[test]
    fn debug_output_contains_no_secret() {
        let shown = format!("{:?}", SigningSecret::from_bytes(&[65; 32]));
        assert!(shown.contains("REDACTED") && !shown.contains("65") && !shown.contains("AA"), "{shown}");
    }

    #[test]
    fn the_mac_is_hmac_sha256_as_in_rfc_4231_and_in_the_documentation_of_github() {
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
            let mac = SigningSecret::from_key(key).mac(&[data]);
            assert_eq!(HEXLOWER.encode(&mac.finalize().into_bytes()), expected);
        }
    }

    #[test]
    fn padding_a_key_to_a_block_does_not_change_the_mac() {
        for length in LENGTHS {
            let key: Vec<u8> = (1..).take(length).collect();
            let plain = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(b"x").finalize();
            assert_eq!(SigningSecret::from_key(&key).mac(&[b"x"]).finalize(), plain, "{length}");
        }
    }
}
