//! Tokens that no honest provider issues, through the whole exchange.

use local::identity_provider::tamper::Forged;
use platform::identity::{Check, SignInError};
use serde_json::{Value, json};

use crate::common::*;

const NOW: i64 = 1_795_348_800;

type Forge = Box<dyn Fn(&mut Forged) + Send + Sync>;

fn claim(name: &'static str, value: Value) -> impl Fn(&mut Forged) + Send + Sync {
    move |forged| forged.claims[name] = value.clone()
}

fn header(name: &'static str, value: Value) -> impl Fn(&mut Forged) + Send + Sync {
    move |forged| forged.header[name] = value.clone()
}

#[tokio::test]
async fn a_forged_token_proves_nothing() {
    let world = World::start().await;
    let failed = SignInError::Failed;
    let rows: Vec<(Forge, SignInError)> = vec![
        (Box::new(header("alg", json!("none"))), failed(Check::Header)),
        (Box::new(header("alg", json!("HS256"))), failed(Check::Header)),
        (Box::new(header("alg", json!("RS512"))), failed(Check::Header)),
        (Box::new(header("crit", json!(["exp"]))), failed(Check::Header)),
        (Box::new(header("kid", json!("unknown"))), failed(Check::Key)),
        (Box::new(|forged: &mut Forged| forged.with_foreign_key = true), failed(Check::Signature)),
        (Box::new(claim("iss", json!("https://login.microsoftonline.com/common/v2.0"))), failed(Check::Issuer)),
        (Box::new(claim("tid", json!(FABRIKAM))), failed(Check::Tenant)),
        (Box::new(claim("aud", json!("another app"))), failed(Check::Audience)),
        (Box::new(claim("exp", json!(NOW - 60))), failed(Check::Expiry)),
        (Box::new(claim("nbf", json!(NOW + 61))), failed(Check::NotBefore)),
        (Box::new(claim("iat", json!(NOW - 601))), failed(Check::IssuedAt)),
        (Box::new(claim("nonce", json!("another"))), failed(Check::Nonce)),
        (Box::new(claim("ver", json!("1.0"))), failed(Check::Version)),
        (Box::new(claim("auth_time", json!(NOW - 3600))), failed(Check::Freshness)),
        (Box::new(claim("exp", json!("2026-11-22"))), failed(Check::Claims)),
        (Box::new(claim("oid", Value::Null)), SignInError::NotHome(Check::Account)),
        (Box::new(claim("altsecid", json!("5::1"))), SignInError::NotHome(Check::Outsider)),
        (Box::new(claim("acct", json!(1))), SignInError::NotHome(Check::Membership)),
        (
            Box::new(claim("idp", json!(format!("https://sts.windows.net/{FABRIKAM}/")))),
            SignInError::NotHome(Check::Home),
        ),
        (Box::new(claim("wids", json!("62e90394-69f5-4237-9190-012177145e10"))), SignInError::NotAnApprover),
    ];
    for (number, (change, expected)) in rows.into_iter().enumerate() {
        world.provider.forge(change);
        assert_eq!(world.contoso().await.unwrap_err(), expected, "row {number}");
    }
    world.provider.behave();
    world.contoso().await.unwrap();
}
