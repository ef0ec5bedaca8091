//! What is proven by a token, and what is not. Every forged token here is signed by a key of the tests.

mod attacks;
mod cache;
mod credential;
mod forger;
mod mutations;
mod oracle;
mod skew;

use domain::{TenantId, Timestamp};
use serde_json::{Value, json};

use self::forger::Forger;
use super::claims::Expected;
use super::keys::KeySet;
use super::provider::prove;
use super::token::Token;
use super::{Person, SignInError};

const TENANT: &str = "c0c0c0c0-0000-4000-8000-000000000001";
const OTHER_TENANT: &str = "fabfabfa-0000-4000-8000-000000000002";
const ISSUER: &str = "https://login.microsoftonline.com/c0c0c0c0-0000-4000-8000-000000000001/v2.0";
const CLIENT: &str = "0a0a0a0a-0000-4000-8000-00000000000a";
const NONCE: &str = "nonce-of-this-sign-in";
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const ACCOUNT: &str = "11111111-1111-4111-8111-111111111111";
const MAX_AGE: u32 = 900;
const NOW: i64 = 1_795_000_000;

fn tenant() -> TenantId {
    TenantId::parse(TENANT).unwrap()
}

fn one() -> Forger {
    Forger::new(include_str!("one.pem"), "one")
}

fn two() -> Forger {
    Forger::new(include_str!("two.pem"), "two")
}

fn weak() -> Forger {
    Forger::new(include_str!("weak.pem"), "weak")
}

/// The claims of a global administrator who just signed in.
fn claims() -> Value {
    json!({
        "iss": ISSUER, "tid": TENANT, "aud": CLIENT, "sub": "pairwise", "exp": NOW + 3600, "nbf": NOW, "iat": NOW,
        "nonce": NONCE, "ver": "2.0", "auth_time": NOW - 5, "oid": ACCOUNT, "acct": 0,
        "wids": ["b79fbf4d-3ef9-4689-8143-76b194e85509", GLOBAL_ADMINISTRATOR],
        "name": "Ada Admin", "preferred_username": "ada@contoso.example",
    })
}

fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn claims_without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn document(keys: &[Value]) -> Vec<u8> {
    json!({"keys": keys}).to_string().into_bytes()
}

fn key_set(keys: &[Value]) -> KeySet {
    KeySet::read(&document(keys), ISSUER, &tenant()).unwrap()
}

/// Judges a token at a time.
fn judge_at(token: &str, keys: &KeySet, now: i64) -> Result<Person, SignInError> {
    let tenant = tenant();
    let expected = Expected {
        issuer: ISSUER,
        tenant: &tenant,
        client_id: CLIENT,
        nonce: NONCE,
        max_age_seconds: MAX_AGE,
        now: Timestamp::from_millis(now * 1000),
    };
    prove(&Token::parse(token)?, keys, &expected, &[GLOBAL_ADMINISTRATOR.to_owned()])
}

/// Judges a token by the key `one`.
fn judge(token: &str) -> Result<Person, SignInError> {
    judge_at(token, &key_set(&[one().jwk()]), NOW)
}

#[test]
fn a_global_administrator_who_just_signed_in_is_proven() {
    let person = judge(&one().token(&claims())).unwrap();
    assert_eq!((person.person_id.as_str(), person.approver_role.as_str()), (ACCOUNT, GLOBAL_ADMINISTRATOR));
    assert_eq!((person.name.as_deref(), person.email.as_deref()), (Some("Ada Admin"), Some("ada@contoso.example")));
}

#[test]
fn debug_output_contains_no_personal_data() {
    let shown = format!("{:?}", judge(&one().token(&claims())));
    assert!(shown.contains(GLOBAL_ADMINISTRATOR), "{shown}");
    for personal in ["Ada", "ada@", ACCOUNT] {
        assert!(!shown.contains(personal), "{shown}");
    }
}

#[test]
fn a_name_or_address_that_may_not_be_shown_is_left_out() {
    for (claim, value) in [
        ("name", json!("\u{202e}nimda")),
        ("name", json!("x".repeat(101))),
        ("name", json!(["Ada"])),
        ("preferred_username", json!("ada")),
        ("preferred_username", json!(7)),
    ] {
        let person = judge(&one().token(&claims_with(claim, value.clone()))).unwrap();
        let left_out = if claim == "name" { person.name } else { person.email };
        assert_eq!(left_out, None, "{claim} {value}");
    }
    let both = claims_with("email", json!("Ada.Admin@contoso.example"));
    assert_eq!(judge(&one().token(&both)).unwrap().email.as_deref(), Some("Ada.Admin@contoso.example"));
}
