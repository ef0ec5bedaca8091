//! The keys of the provider and of its client. They are in the source code: RSA keys cannot be generated here, and a provider that
//! needs no passwords has no secrets.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use domain::Cloud;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_2048_8192_SHA256, RsaEncoding, RsaPublicKeyComponents,
};
use ring::{hmac, signature};
use serde_json::{Value, json};

use super::tamper::Forged;

/// The key that proves the deployment's requests for the US Government cloud.
pub(super) const CLIENT_KEY: &str = include_str!("keys/client.pem");

const PUBLIC_KEY: &str = include_str!("keys/public.pem");
const US_GOV_KEY: &str = include_str!("keys/us_gov.pem");

/// Every key.
pub(super) struct Keys {
    public: Key,
    us_gov: Key,
    client: Key,
}

/// An RSA key and its id.
pub(super) struct Key {
    pair: KeyPair,
    kid: &'static str,
}

impl Keys {
    /// `None` if a key cannot be read. A test checks that all can.
    pub(super) fn read() -> Option<Self> {
        Some(Self {
            public: Key::read(PUBLIC_KEY, "development-public")?,
            us_gov: Key::read(US_GOV_KEY, "development-us-gov")?,
            client: Key::read(CLIENT_KEY, "client")?,
        })
    }

    /// The key that signs the tokens of a cloud.
    pub(super) fn of(&self, cloud: Cloud) -> &Key {
        match cloud {
            Cloud::Public => &self.public,
            Cloud::UsGov => &self.us_gov,
        }
    }

    /// Whether the client's key has signed this assertion. Returns its claims.
    pub(super) fn assertion(&self, assertion: &str) -> Option<Value> {
        let (signed, signature) = assertion.rsplit_once('.')?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
        self.client.public().verify(&RSA_PSS_2048_8192_SHA256, signed.as_bytes(), &signature).ok()?;
        let claims = signed.split('.').nth(1)?;
        serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?).ok()
    }

    /// Signs a token as its header says.
    pub(super) fn token(&self, cloud: Cloud, forged: &Forged) -> Option<String> {
        let key = if forged.with_foreign_key { &self.client } else { self.of(cloud) };
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", encode(&forged.header), encode(&forged.claims));
        let signature = match forged.header["alg"].as_str() {
            Some("none") => Vec::new(),
            Some("HS256") => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, &key.public().n);
                hmac::sign(&secret, signed.as_bytes()).as_ref().to_vec()
            }
            Some("RS512") => key.sign(&RSA_PKCS1_SHA512, &signed)?,
            _ => key.sign(&RSA_PKCS1_SHA256, &signed)?,
        };
        Some(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
    }
}

impl Key {
    fn read(pem: &str, kid: &'static str) -> Option<Self> {
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let pair = KeyPair::from_pkcs8(&BASE64.decode(base64.as_bytes()).ok()?).ok()?;
        Some(Self { pair, kid })
    }

    fn public(&self) -> RsaPublicKeyComponents<Vec<u8>> {
        PublicKeyComponents::from(self.pair.public())
    }

    fn sign(&self, encoding: &'static dyn RsaEncoding, text: &str) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
        Some(signature)
    }

    /// The header of a token that this key signs.
    pub(super) fn header(&self) -> Value {
        json!({"alg": "RS256", "typ": "JWT", "kid": self.kid})
    }

    /// The public key as it is published. As at Microsoft Entra, it names the issuers whose tokens it signs.
    pub(super) fn jwk(&self, issuer: &str) -> Value {
        let signature::RsaPublicKeyComponents { n, e } = self.public();
        let [n, e] = [n, e].map(|number| BASE64URL_NOPAD.encode(&number));
        json!({"kty": "RSA", "use": "sig", "kid": self.kid, "n": n, "e": e, "issuer": issuer})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_can_be_read() {
        assert!(Keys::read().is_some());
    }
}
