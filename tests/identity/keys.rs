//! What is kept of a provider, and when it is read again.

use domain::Cloud;
use local::identity_provider::tamper::{Answer, Endpoint};
use platform::identity::{Check, SignInError, Step};
use serde_json::json;

use crate::common::*;

fn requests(world: &World) -> [usize; 3] {
    [Endpoint::Discovery, Endpoint::Keys, Endpoint::Token].map(|endpoint| world.provider.requests(endpoint))
}

#[tokio::test]
async fn documents_are_kept_for_an_hour_for_each_issuer() {
    let world = World::start().await;
    world.contoso().await.unwrap();
    assert_eq!(requests(&world), [1, 1, 1]);
    world.contoso().await.unwrap();
    assert_eq!(requests(&world), [1, 1, 2]);
    world.sign_in(Cloud::Public, FABRIKAM, ADMINISTRATOR).await.unwrap();
    assert_eq!(requests(&world), [2, 2, 3]);
    world.clock.advance_millis(3_600_000 - 1);
    world.contoso().await.unwrap();
    assert_eq!(requests(&world), [2, 2, 4]);
    world.clock.advance_millis(1);
    world.contoso().await.unwrap();
    assert_eq!(requests(&world), [3, 3, 5]);
}

#[tokio::test]
async fn a_code_is_not_used_up_if_the_keys_cannot_be_read() {
    let world = World::start().await;
    let code = world.code(Cloud::Public, CONTOSO, ADMINISTRATOR);
    world.provider.distort(|endpoint, answer| {
        if endpoint == Endpoint::Keys {
            answer.status = 503;
        }
    });
    let failed = world.redeem(Cloud::Public, CONTOSO, &code).await.unwrap_err();
    assert_eq!(failed, SignInError::ProviderUnavailable(Step::Keys, "status"));
    assert_eq!(requests(&world), [1, 1, 0]);
    world.provider.behave();
    world.redeem(Cloud::Public, CONTOSO, &code).await.unwrap();
    assert_eq!(requests(&world), [1, 2, 1]);
}

/// Attack 6.
#[tokio::test]
async fn a_thousand_unknown_keys_cause_at_most_one_request_a_minute() {
    let world = World::start().await;
    world.contoso().await.unwrap();
    world.provider.forge(|forged| forged.header["kid"] = json!("unknown"));
    world.clock.advance_millis(60_000 - 1_000);
    for number in 0..1_000 {
        assert_eq!(world.contoso().await.unwrap_err(), SignInError::Failed(Check::Key), "{number}");
        world.clock.advance_millis(1);
    }
    assert_eq!(world.provider.requests(Endpoint::Keys), 1);
    for _ in 0..10 {
        assert_eq!(world.contoso().await.unwrap_err(), SignInError::Failed(Check::Key));
    }
    assert_eq!(world.provider.requests(Endpoint::Keys), 2);
}

#[tokio::test]
async fn a_new_key_is_found_after_a_minute() {
    let world = World::start().await;
    world.contoso().await.unwrap();
    world.provider.forge(|forged| forged.header["kid"] = json!("new"));
    world.provider.distort(|endpoint, answer| {
        if endpoint == Endpoint::Keys {
            replace(answer, "development-public", "new");
        }
    });
    world.clock.advance_millis(59_999);
    assert_eq!(world.contoso().await.unwrap_err(), SignInError::Failed(Check::Key));
    world.clock.advance_millis(1);
    world.contoso().await.unwrap();
    world.provider.behave();
    assert_eq!(world.contoso().await.unwrap_err(), SignInError::Failed(Check::Key), "the old key was withdrawn");
}

/// Attack 7: the keys of another tenant or cloud verify nothing.
#[tokio::test]
async fn a_key_of_another_issuer_verifies_nothing() {
    let world = World::start().await;
    world.provider.distort(|endpoint, answer| {
        if endpoint == Endpoint::Keys {
            replace(answer, "{tenantid}", FABRIKAM);
        }
    });
    assert_eq!(world.contoso().await.unwrap_err(), SignInError::Failed(Check::Key));
}

#[tokio::test]
async fn the_number_of_issuers_that_are_kept_is_limited() {
    let world = World::start().await;
    for number in 0..=100 {
        let id = format!("c0c0c0c0-0000-4000-8000-{number:012}");
        world.sign_in(Cloud::Public, &id, ADMINISTRATOR).await.unwrap();
        world.clock.advance_millis(1);
    }
    let before = world.provider.requests(Endpoint::Discovery);
    world.sign_in(Cloud::Public, "c0c0c0c0-0000-4000-8000-000000000100", ADMINISTRATOR).await.unwrap();
    assert_eq!(world.provider.requests(Endpoint::Discovery), before, "the newest is kept");
    world.sign_in(Cloud::Public, "c0c0c0c0-0000-4000-8000-000000000000", ADMINISTRATOR).await.unwrap();
    assert_eq!(world.provider.requests(Endpoint::Discovery), before + 1, "the oldest was dropped");
}

fn replace(answer: &mut Answer, from: &str, to: &str) {
    answer.body = String::from_utf8_lossy(&answer.body).replace(from, to).into_bytes();
}
