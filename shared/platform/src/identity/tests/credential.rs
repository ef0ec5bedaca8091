//! Credentials, and the requests that they prove.

use data_encoding::BASE64URL_NOPAD;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;

use super::super::credential::{Credential, CredentialError};
use super::*;

const TOKEN_URL: &str = "https://login.microsoftonline.com/tenant/oauth2/v2.0/token";
const PEM: &str = include_str!("one.pem");

fn parameters(credential: &Credential) -> Vec<(String, String)> {
    let found = credential.parameters(CLIENT, TOKEN_URL, Timestamp::from_millis(NOW * 1000)).unwrap();
    found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A certificate with any contents, because only its hash is used.
fn certificate() -> String {
    "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n".to_owned()
}

#[test]
fn a_secret_is_sent_as_it_is() {
    let secret = Credential::parse(" a~secret \n").unwrap();
    assert_eq!(parameters(&secret), [("client_secret".to_owned(), "a~secret".to_owned())]);
}

#[test]
fn a_key_signs_an_assertion_for_this_token_endpoint() {
    for (pem, thumbprint) in
        [(PEM.to_owned(), None), (certificate() + PEM, Some("A5BYxvLAy0ksUzsKTRTvd8wPeKvMztUofYShogEc-4E"))]
    {
        let found = parameters(&Credential::parse(&pem).unwrap());
        let expected = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert_eq!(found[0], ("client_assertion_type".to_owned(), expected.to_owned()));
        let (signed, signature) = found[1].1.rsplit_once('.').unwrap();
        let parts: Vec<Value> = signed
            .split('.')
            .map(|part| serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap())
            .collect();
        assert_eq!((&parts[0]["alg"], parts[0]["x5t#S256"].as_str()), (&json!("PS256"), thumbprint));
        let [aud, iss, sub] = ["aud", "iss", "sub"].map(|claim| parts[1][claim].as_str().unwrap());
        assert_eq!((aud, iss, sub), (TOKEN_URL, CLIENT, CLIENT));
        assert_eq!((&parts[1]["nbf"], &parts[1]["exp"]), (&json!(NOW), &json!(NOW + 300)));
        let jwk = one().jwk();
        let member = |name: &str| BASE64URL_NOPAD.decode(jwk[name].as_str().unwrap().as_bytes()).unwrap();
        let public: RsaPublicKeyComponents<_> = PublicKeyComponents { n: member("n"), e: member("e") };
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        public.verify(&RSA_PSS_2048_8192_SHA256, signed.as_bytes(), &signature).unwrap();
    }
}

#[test]
fn two_assertions_differ() {
    let key = Credential::parse(PEM).unwrap();
    assert_ne!(parameters(&key), parameters(&key));
}

#[test]
fn a_text_that_is_no_credential_is_rejected() {
    for (text, expected) in [
        ("", CredentialError::Empty),
        (" \n", CredentialError::Empty),
        ("{{resolve:secretsmanager:name}}", CredentialError::Unresolved),
        ("-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n", CredentialError::Key),
        (certificate().as_str(), CredentialError::Key),
        (include_str!("weak.pem"), CredentialError::Key),
    ] {
        assert_eq!(Credential::parse(text).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn debug_output_contains_no_secret() {
    let shown = format!("{:?} {:?}", Credential::parse("a~secret").unwrap(), Credential::parse(PEM).unwrap());
    assert_eq!(shown, "Secret([REDACTED]) Key([REDACTED])");
}
