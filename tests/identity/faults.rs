//! A provider that is down, slow or enormous, and one that lies about itself.

use std::net::{Ipv4Addr, TcpListener};

use domain::Cloud;
use futures_util::future::join_all;
use local::identity_provider::tamper::{Answer, Endpoint};
use platform::identity::{Check, SignInError, Step};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::common::*;

const ENDPOINTS: [(Endpoint, Step); 3] =
    [(Endpoint::Discovery, Step::Discovery), (Endpoint::Token, Step::Token), (Endpoint::Keys, Step::Keys)];

/// What one changed response of an endpoint leads to.
async fn outcome(at: Endpoint, change: impl Fn(&mut Answer) + Send + Sync + 'static) -> SignInError {
    let world = World::start().await;
    world.provider.distort(move |endpoint, answer| {
        if endpoint == at {
            change(answer);
        }
    });
    let failed = world.contoso().await.unwrap_err();
    world.provider.behave();
    world.contoso().await.expect("nothing false is kept");
    failed
}

#[tokio::test]
async fn a_provider_that_is_down_is_unavailable() {
    // A port that was just free.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let world = World::with(|settings| {
        let public = settings.clouds.get_mut(&Cloud::Public).unwrap();
        public.issuer = Some(format!("http://localhost:{port}/{{tenant}}/v2.0"));
    })
    .await;
    let failed = world.redeem(Cloud::Public, CONTOSO, "code").await.unwrap_err();
    assert_eq!(failed, SignInError::ProviderUnavailable(Step::Discovery, "connect"));
}

#[tokio::test]
async fn a_response_that_is_no_document_makes_the_provider_unavailable() {
    for (endpoint, step) in ENDPOINTS {
        for (body, reason) in [
            (Vec::new(), "malformed"),
            (b"<html>".to_vec(), "malformed"),
            (b"{}".to_vec(), "malformed"),
            (b"null".to_vec(), "malformed"),
            (vec![b' '; 64 * 1024], "malformed"),
            (vec![b' '; 64 * 1024 + 1], "body"),
            (vec![b'{'; 1024 * 1024], "body"),
        ] {
            let size = body.len();
            let failed = outcome(endpoint, move |answer| answer.body.clone_from(&body)).await;
            assert_eq!(failed, SignInError::ProviderUnavailable(step, reason), "{endpoint:?} {size}");
        }
    }
}

#[tokio::test]
async fn a_failing_provider_is_unavailable_and_redirects_are_not_followed() {
    for (endpoint, step) in ENDPOINTS {
        for status in [204, 301, 302, 307, 404, 429, 500, 503] {
            let failed = outcome(endpoint, move |answer| answer.status = status).await;
            assert_eq!(failed, SignInError::ProviderUnavailable(step, "status"), "{endpoint:?} {status}");
        }
    }
}

#[tokio::test]
async fn an_error_of_the_token_endpoint_is_not_taken_for_another() {
    for (status, error, expected) in [
        (400, "invalid_grant", SignInError::Failed(Check::Code)),
        (400, "invalid_client", SignInError::Failed(Check::Client)),
        (401, "invalid_client", SignInError::Failed(Check::Client)),
        (400, "unauthorized_client", SignInError::Failed(Check::Client)),
        (400, "temporarily_unavailable", SignInError::ProviderUnavailable(Step::Token, "status")),
        (400, "server_error", SignInError::ProviderUnavailable(Step::Token, "status")),
    ] {
        let failed = outcome(Endpoint::Token, move |answer| {
            answer.status = status;
            answer.body = json!({"error": error}).to_string().into_bytes();
        });
        assert_eq!(failed.await, expected, "{status} {error}");
    }
    let failed = outcome(Endpoint::Token, |answer| answer.status = 400).await;
    assert_eq!(failed, SignInError::ProviderUnavailable(Step::Token, "malformed"));
}

#[tokio::test]
async fn a_provider_cannot_lie_about_its_issuer_or_send_requests_elsewhere() {
    let with = |name: &'static str, value: Value| {
        outcome(Endpoint::Discovery, move |answer| {
            let mut document: Value = serde_json::from_slice(&answer.body).unwrap();
            document[name] = value.clone();
            answer.body = document.to_string().into_bytes();
        })
    };
    for (name, value) in [
        ("issuer", "https://login.microsoftonline.com/{tenantid}/v2.0"),
        ("issuer", "https://login.microsoftonline.com/c0c0c0c0-0000-4000-8000-000000000001/v2.0"),
        ("issuer", ""),
        ("token_endpoint", "https://example.com/token"),
        ("token_endpoint", "http://169.254.169.254/latest/meta-data"),
        ("token_endpoint", "http://127.0.0.1:1/token"),
        ("token_endpoint", "/token"),
        ("token_endpoint", "file:///etc/passwd"),
        ("jwks_uri", "https://example.com/keys"),
        ("jwks_uri", ""),
    ] {
        assert_eq!(with(name, json!(value)).await, SignInError::Failed(Check::Discovery), "{name} {value}");
    }
    for name in ["issuer", "token_endpoint", "jwks_uri"] {
        let malformed = SignInError::ProviderUnavailable(Step::Discovery, "malformed");
        assert_eq!(with(name, json!(7)).await, malformed, "{name}");
    }
}

#[tokio::test]
async fn a_sign_out_address_elsewhere_is_not_used() {
    let world = World::start().await;
    world.provider.distort(|endpoint, answer| {
        if endpoint == Endpoint::Discovery {
            let mut document: Value = serde_json::from_slice(&answer.body).unwrap();
            document["end_session_endpoint"] = json!("https://example.com/sign-out");
            answer.body = document.to_string().into_bytes();
        }
    });
    assert_eq!(world.contoso().await.unwrap().sign_out_url, None);
}

/// The time limit is for all requests together.
#[tokio::test]
async fn a_provider_that_never_responds_is_unavailable_after_five_seconds() {
    let wait = async |(slow, step)| {
        let world = World::start().await;
        world.provider.distort(move |endpoint, answer| answer.never = endpoint == slow);
        let code = world.code(Cloud::Public, CONTOSO, ADMINISTRATOR);
        let began = Instant::now();
        let failed = world.redeem(Cloud::Public, CONTOSO, &code).await.unwrap_err();
        assert_eq!(failed, SignInError::ProviderUnavailable(step, "timeout"), "{slow:?}");
        assert!((4.9..5.5).contains(&began.elapsed().as_secs_f32()), "{:?}", began.elapsed());
    };
    join_all(ENDPOINTS.map(wait)).await;
}
