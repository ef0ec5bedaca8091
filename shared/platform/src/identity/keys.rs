//! The keys of one issuer (RFC 7517).

use data_encoding::BASE64URL_NOPAD;
use domain::TenantId;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The only algorithm of ID tokens here. It is never taken from a token.
pub(super) const ALGORITHM: &str = "RS256";

/// Where Microsoft Entra names the tenant in the issuer of a key.
const KEY_TENANT: &str = "{tenantid}";

/// The keys that sign ID tokens of one issuer.
pub(super) struct KeySet(Vec<Key>);

struct Key {
    kid: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    usage: String,
    alg: Option<String>,
    n: String,
    e: String,
    /// Only Microsoft Entra has it: the issuer whose tokens the key signs.
    issuer: Option<String>,
}

impl KeySet {
    /// Reads a document. Keys of other kinds and of other issuers are skipped. `None` if it is no document of keys.
    pub(super) fn read(body: &[u8], issuer: &str, tenant: &TenantId) -> Option<Self> {
        let document: Document<'_> = serde_json::from_slice(body).ok()?;
        let keys = document.keys.into_iter().filter_map(|key| {
            let jwk: Jwk = serde_json::from_str(key.get()).ok()?;
            let of_issuer = jwk.issuer.is_none_or(|template| template.replace(KEY_TENANT, tenant.as_str()) == issuer);
            let signs = jwk.kty == "RSA" && jwk.usage == "sig" && jwk.alg.is_none_or(|alg| alg == ALGORITHM);
            if !of_issuer || !signs {
                return None;
            }
            let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
            Some(Key { kid: jwk.kid, modulus: decode(&jwk.n)?, exponent: decode(&jwk.e)? })
        });
        Some(Self(keys.collect()))
    }

    pub(super) fn has(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid == kid)
    }

    /// Whether a key with this id has made the signature. Keys below 2048 bits verify nothing.
    pub(super) fn verify(&self, kid: &str, signed: &[u8], signature: &[u8]) -> bool {
        self.0.iter().filter(|key| key.kid == kid).any(|key| {
            let public = RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent };
            public.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
        })
    }
}
