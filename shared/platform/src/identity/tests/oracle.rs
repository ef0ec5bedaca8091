//! The verdicts of the library `jsonwebtoken` on the same tokens. It makes the checks that every ID token needs: form, algorithm,
//! signature, issuer, audience, expiry, start. It must accept all that is accepted here. Where it accepts more, the row says what
//! this verifier checks in addition.
//!
//! The library reads the system's clock, so these tokens are from now, and no time is near a boundary.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, Validation, decode};
use proptest::prelude::*;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

use super::forger::{Forger, encode};
use super::mutations::{Dice, mutated_token};
use super::*;
use crate::identity::Check;

/// The library is built without cryptography of its own, so that there is no second stack: it uses that of `ring`.
struct Rsa(DecodingKey);

impl Verifier<Vec<u8>> for Rsa {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        let DecodingKeyKind::RsaModulusExponent { n, e } = self.0.kind() else { return Err(Error::new()) };
        let public = RsaPublicKeyComponents { n, e };
        public.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).map_err(|_| Error::new())
    }
}

impl JwtVerifier for Rsa {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

static CRYPTOGRAPHY: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::RS256 => Ok(Box::new(Rsa(key.clone()))),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// Whether the library accepts a token by the key `one`.
fn oracle(token: &str) -> bool {
    // Another test may have installed it.
    let _ = CRYPTOGRAPHY.install_default();
    let jwk = one().jwk();
    let part = |name: &str| jwk[name].as_str().unwrap().to_owned();
    let key = DecodingKey::from_rsa_components(&part("n"), &part("e")).unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    rules.leeway = 60;
    rules.validate_nbf = true;
    rules.set_audience(&[CLIENT]);
    rules.set_issuer(&[ISSUER]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    decode::<Value>(token, &key, &rules).is_ok()
}

fn ours(token: &str, now: i64) -> Result<(), SignInError> {
    judge_at(token, &key_set(&[one().jwk()]), now).map(drop)
}

/// The claims of a global administrator who just signed in, now.
fn fresh(now: i64) -> Value {
    let mut claims = claims();
    for (claim, time) in [("exp", now + 3600), ("nbf", now), ("iat", now), ("auth_time", now - 5)] {
        claims[claim] = json!(time);
    }
    claims
}

/// Checks that the library makes too.
const COMMON: &[Check] = &[
    Check::Header,
    Check::Signature,
    Check::Claims,
    Check::Issuer,
    Check::Audience,
    Check::Expiry,
    Check::NotBefore,
    Check::Subject,
];

#[test]
fn both_refuse_what_no_verifier_may_accept() {
    let now = now();
    let with = |name: &str, value: Value| {
        let mut claims = fresh(now);
        claims[name] = value;
        one().token(&claims)
    };
    let without = |name: &str| {
        let mut claims = fresh(now);
        claims.as_object_mut().unwrap().remove(name);
        one().token(&claims)
    };
    let honest = one().token(&fresh(now));
    assert_eq!((ours(&honest, now), oracle(&honest)), (Ok(()), true));
    let parts: Vec<&str> = honest.split('.').collect();
    let changed = fresh(now).to_string().replace("Ada Admin", "Eve Admin");
    let stranger = Forger::new(include_str!("two.pem"), "one");
    let mut rows: Vec<(String, String)> = ["none", "None", "HS256", "RS384", "RS512", "PS256", "ES256", "rs256", ""]
        .map(|alg| (format!("alg {alg}"), one().with_algorithm(alg, &fresh(now))))
        .into();
    rows.extend([
        ("changed claims".into(), format!("{}.{}.{}", parts[0], encode(changed), parts[2])),
        ("another key".into(), stranger.token(&fresh(now))),
        ("no signature".into(), format!("{}.{}.", parts[0], parts[1])),
        ("two parts".into(), format!("{}.{}", parts[0], parts[1])),
        ("four parts".into(), format!("{honest}.{}", parts[2])),
        ("padding".into(), format!("{honest}=")),
        ("a line break".into(), format!("{honest}\n")),
        ("nothing".into(), String::new()),
        ("no JSON".into(), one().of_texts(&one().header().to_string(), "claims")),
        ("issuer of v1".into(), with("iss", json!(format!("https://sts.windows.net/{TENANT}/")))),
        ("issuer with a slash".into(), with("iss", json!(format!("{ISSUER}/")))),
        ("issuer in upper case".into(), with("iss", json!(ISSUER.to_uppercase()))),
        ("another tenant's issuer".into(), with("iss", json!(ISSUER.replace(TENANT, OTHER_TENANT)))),
        ("another app".into(), with("aud", json!("0b0b0b0b-0000-4000-8000-00000000000b"))),
        ("no app".into(), with("aud", json!([]))),
        ("expired".into(), with("exp", json!(now - 600))),
        ("expiry as text".into(), with("exp", json!((now + 3600).to_string()))),
        ("expiry null".into(), with("exp", Value::Null)),
        ("a negative expiry".into(), with("exp", json!(-1))),
        ("not yet valid".into(), with("nbf", json!(now + 600))),
        ("start as text".into(), with("nbf", json!(now.to_string()))),
    ]);
    rows.extend(["iss", "aud", "exp", "sub"].map(|claim| (format!("no {claim}"), without(claim))));
    for (attack, token) in rows {
        assert!(!oracle(&token), "the library accepts: {attack}");
        let refused = ours(&token, now).unwrap_err();
        assert!(matches!(refused, SignInError::Failed(check) if COMMON.contains(&check)), "{attack}: {refused}");
    }
}

#[test]
fn only_this_verifier_refuses_what_this_product_needs() {
    let now = now();
    let with = |name: &str, value: Value| {
        let mut claims = fresh(now);
        claims[name] = value;
        one().token(&claims)
    };
    let header = |name: &str, value: Value| {
        let mut header = one().header();
        header[name] = value;
        one().with_header(&header, &fresh(now))
    };
    let failed = SignInError::Failed;
    let twice = format!("{{\"tid\":\"{OTHER_TENANT}\",{}", &fresh(now).to_string()[1..]);
    for (attack, token, expected) in [
        ("an extension that must be understood", header("crit", json!(["b64"])), failed(Check::Header)),
        ("a token of another kind", header("typ", json!("at+jwt")), failed(Check::Header)),
        ("an unknown key id", header("kid", json!("unknown")), failed(Check::Key)),
        ("a claim twice", one().of_texts(&one().header().to_string(), &twice), failed(Check::Claims)),
        ("a list of issuers", with("iss", json!([ISSUER])), failed(Check::Claims)),
        ("an expiry with a fraction", with("exp", json!(now as f64 + 3600.5)), failed(Check::Claims)),
        ("a token for two apps", with("aud", json!([CLIENT, "another"])), failed(Check::Audience)),
        ("a token that lives for years", with("exp", json!(now + 10 * 365 * 86_400)), failed(Check::Expiry)),
        ("another tenant's id", with("tid", json!(OTHER_TENANT)), failed(Check::Tenant)),
        ("an old token", with("iat", json!(now - 3600)), failed(Check::IssuedAt)),
        ("another sign-in", with("nonce", json!("another")), failed(Check::Nonce)),
        ("another version", with("ver", json!("1.0")), failed(Check::Version)),
        ("an old sign-in", with("auth_time", json!(now - 3600)), failed(Check::Freshness)),
        ("no account", with("oid", Value::Null), SignInError::NotHome(Check::Account)),
        ("an outsider", with("altsecid", json!("5::1")), SignInError::NotHome(Check::Outsider)),
        ("a guest", with("acct", json!(1)), SignInError::NotHome(Check::Membership)),
        ("a member from elsewhere", with("idp", json!("live.com")), SignInError::NotHome(Check::Home)),
        ("no role", with("wids", json!([])), SignInError::NotAnApprover),
    ] {
        assert_eq!(ours(&token, now), Err(expected), "{attack}");
        assert!(oracle(&token), "the library refuses this too: {attack}");
    }
}

#[test]
fn the_library_accepts_every_changed_token_that_is_accepted_here() {
    let now = now();
    let token = one().token(&fresh(now));
    let mut both = 0;
    for run in 0..2_000 {
        let changed = mutated_token(&token, &mut Dice(run));
        let accepted = ours(&changed, now).is_ok();
        assert!(!accepted || oracle(&changed), "{run}: {changed}");
        both += usize::from(accepted);
    }
    assert!(both < 200, "nearly every change is refused: {both}");
}

/// Seconds from now that are not near a boundary of either verifier.
fn away_from(boundary: i64) -> impl Strategy<Value = i64> {
    prop_oneof![-80_000..boundary - 15, boundary + 15..80_000]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// If only what both check may differ, both decide the same.
    #[test]
    fn both_decide_the_same_about_what_both_check(
        iss in prop::sample::select(vec![ISSUER, ISSUER, ISSUER, "https://login.microsoftonline.com/common/v2.0"]),
        aud in prop::sample::select(vec![CLIENT, CLIENT, CLIENT, "another"]),
        sub in prop::option::weighted(0.9, "[a-z]{1,9}"),
        exp in away_from(-60),
        nbf in away_from(60),
        is_own_key in prop::bool::weighted(0.8),
    ) {
        let now = now();
        let mut claims = fresh(now);
        claims["iss"] = json!(iss);
        claims["aud"] = json!(aud);
        claims["exp"] = json!(now + exp);
        claims["nbf"] = json!(now + nbf);
        match sub {
            Some(sub) => claims["sub"] = json!(sub),
            None => drop(claims.as_object_mut().unwrap().remove("sub")),
        }
        let signer = if is_own_key { one() } else { Forger::new(include_str!("two.pem"), "one") };
        let token = signer.token(&claims);
        prop_assert_eq!(ours(&token, now).is_ok(), oracle(&token));
    }
}
