//! What proves to a provider that a request is from this deployment: a shared secret, or a private key that signs an assertion
//! (RFC 7523, `private_key_jwt`).

use std::fmt;
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use domain::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use ring::rsa::KeyPair;
use ring::signature::RSA_PSS_SHA256;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};

/// How long an assertion is valid, in seconds.
const ASSERTION_SECONDS: i64 = 300;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The credential of one app registration.
#[derive(Clone)]
pub enum Credential {
    Secret(SecretString),
    Key(Arc<AssertionKey>),
}

/// An RSA key, with the certificate that the provider knows it by.
pub struct AssertionKey {
    pair: KeyPair,
    /// SHA-256 of the certificate, base64url: the header `x5t#S256`, which Microsoft Entra needs.
    thumbprint: Option<String>,
}

/// Why a text is no credential. It never contains the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialError {
    Empty,
    Unresolved,
    Key,
}

/// Reads a credential: [`Credential::parse`].
pub type ReadCredential = fn(&str) -> Result<Credential, CredentialError>;

impl CredentialError {
    /// What is wrong, after the name of the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::Unresolved => "is an unresolved {{resolve:…}} reference",
            Self::Key => "is PEM without an RSA private key of 2048 bits or more",
        }
    }
}

impl Credential {
    /// Reads a client secret, or PEM with an RSA private key and, for Microsoft Entra, its certificate.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(CredentialError::Empty);
        }
        // A tool that does not resolve the template's reference passes its text.
        if text.starts_with("{{") {
            return Err(CredentialError::Unresolved);
        }
        if !text.starts_with("-----BEGIN ") {
            return Ok(Self::Secret(text.into()));
        }
        let pair = match PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| CredentialError::Key)? {
            PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err(CredentialError::Key),
        };
        let certificate = CertificateDer::from_pem_slice(text.as_bytes()).ok();
        let thumbprint = certificate.map(|der| BASE64URL_NOPAD.encode(&Sha256::digest(der)));
        Ok(Self::Key(Arc::new(AssertionKey { pair: pair.map_err(|_| CredentialError::Key)?, thumbprint })))
    }

    /// The parameters of a request to the token endpoint. `None` if the key cannot sign.
    pub(super) fn parameters(&self, client_id: &str, token_url: &str, now: Timestamp) -> Option<Vec<(&str, String)>> {
        Some(match self {
            Self::Secret(secret) => vec![("client_secret", secret.expose_secret().to_owned())],
            Self::Key(key) => vec![
                ("client_assertion_type", ASSERTION_TYPE.to_owned()),
                ("client_assertion", key.assertion(client_id, token_url, now)?),
            ],
        })
    }
}

impl AssertionKey {
    fn assertion(&self, client_id: &str, token_url: &str, now: Timestamp) -> Option<String> {
        let random = SystemRandom::new();
        let mut id = [0; 16];
        random.fill(&mut id).ok()?;
        let now = now.seconds();
        let mut header = json!({"alg": "PS256", "typ": "JWT"});
        if let Some(thumbprint) = &self.thumbprint {
            header["x5t#S256"] = thumbprint.as_str().into();
        }
        let claims = json!({
            "aud": token_url, "iss": client_id, "sub": client_id, "jti": BASE64URL_NOPAD.encode(&id),
            "iat": now, "nbf": now, "exp": now + ASSERTION_SECONDS,
        });
        let encode = |value: &serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PSS_SHA256, &random, signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
    }
}

/// Shows only the kind.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret([REDACTED])",
            Self::Key(_) => "Key([REDACTED])",
        })
    }
}
