//! Signs any token, also those that no honest provider issues.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use sha2::Sha256;

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

/// A key that signs, and its id.
pub(super) struct Forger {
    /// `None` for a key that is too small for `ring` to sign with.
    pair: Option<KeyPair>,
    der: Vec<u8>,
    kid: &'static str,
}

impl Forger {
    pub(super) fn new(pem: &str, kid: &'static str) -> Self {
        let (pair, der) = match PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap() {
            PrivateKeyDer::Pkcs8(key) => {
                (KeyPair::from_pkcs8(key.secret_pkcs8_der()).ok(), key.secret_pkcs8_der().to_vec())
            }
            PrivateKeyDer::Pkcs1(key) => {
                (KeyPair::from_der(key.secret_pkcs1_der()).ok(), key.secret_pkcs1_der().to_vec())
            }
            _ => panic!("not an RSA key"),
        };
        Self { pair, der, kid }
    }

    fn public(&self) -> PublicKeyComponents<Vec<u8>> {
        match &self.pair {
            Some(pair) => pair.public().into(),
            // In PKCS #1 the modulus follows `SEQUENCE, INTEGER 0`: for 1024 bits 129 bytes with a leading zero.
            None => PublicKeyComponents { n: self.der[11..139].to_vec(), e: vec![1, 0, 1] },
        }
    }

    /// The public key, as a provider publishes it.
    pub(super) fn jwk(&self) -> Value {
        let PublicKeyComponents { n, e } = self.public();
        json!({"kty": "RSA", "use": "sig", "kid": self.kid, "n": encode(n), "e": encode(e)})
    }

    pub(super) fn header(&self) -> Value {
        json!({"alg": "RS256", "typ": "JWT", "kid": self.kid})
    }

    /// An honest token.
    pub(super) fn token(&self, claims: &Value) -> String {
        self.with_header(&self.header(), claims)
    }

    pub(super) fn with_header(&self, header: &Value, claims: &Value) -> String {
        self.of_texts(&header.to_string(), &claims.to_string())
    }

    /// Signs texts that may not even be JSON.
    pub(super) fn of_texts(&self, header: &str, claims: &str) -> String {
        self.sign(header, claims, &RSA_PKCS1_SHA256)
    }

    /// Signs with the algorithm that the header names.
    pub(super) fn with_algorithm(&self, alg: &str, claims: &Value) -> String {
        let mut header = self.header();
        header["alg"] = alg.into();
        let (header, claims) = (header.to_string(), claims.to_string());
        match alg {
            "none" => format!("{}.{}.", encode(&header), encode(&claims)),
            "HS256" => {
                let signed = format!("{}.{}", encode(&header), encode(&claims));
                let mut mac = Hmac::<Sha256>::new_from_slice(&self.public().n).unwrap();
                mac.update(signed.as_bytes());
                format!("{signed}.{}", encode(mac.finalize().into_bytes()))
            }
            "RS512" => self.sign(&header, &claims, &RSA_PKCS1_SHA512),
            "PS256" => self.sign(&header, &claims, &RSA_PSS_SHA256),
            // The signature is that of RS256, so only the name is wrong.
            _ => self.of_texts(&header, &claims),
        }
    }

    fn sign(&self, header: &str, claims: &str, encoding: &'static dyn RsaEncoding) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let Some(pair) = &self.pair else { return format!("{signed}.{}", encode([1; 128])) };
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", encode(signature))
    }
}
