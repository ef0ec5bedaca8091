//! Honest sign-ins, and codes in the wrong hands.

use domain::Cloud;
use local::identity_provider::tamper::Endpoint;
use platform::identity::{Check, CloudSettings, Credential, SignInError};

use crate::common::*;

#[tokio::test]
async fn an_administrator_of_each_cloud_is_proven_by_secret_or_by_key() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for cloud in [Cloud::Public, Cloud::UsGov] {
        let person = world.sign_in(cloud, CONTOSO, ADMINISTRATOR).await.unwrap();
        assert_eq!(person.approver_role, "62e90394-69f5-4237-9190-012177145e10");
        assert_eq!(person.name.as_deref(), Some("Avery Howard"));
        assert_eq!(person.email.as_deref(), Some("avery@customer.example"));
        let sign_out = format!("{}/{cloud}/{CONTOSO}/oauth2/v2.0/logout", world.provider.url());
        assert_eq!(person.sign_out_url, Some(sign_out));
        ids.push(person.person_id);
    }
    let elsewhere = world.sign_in(Cloud::Public, FABRIKAM, ADMINISTRATOR).await.unwrap();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], elsewhere.person_id, "a person has another id in each tenant");
}

/// Attacks 12 and 13.
#[tokio::test]
async fn everyone_else_is_told_why() {
    let world = World::start().await;
    for (person, expected) in [
        ("user_administrator", SignInError::NotAnApprover),
        ("guest_administrator", SignInError::NotHome(Check::Membership)),
        ("partner_employee", SignInError::NotHome(Check::Account)),
    ] {
        assert_eq!(world.sign_in(Cloud::Public, CONTOSO, person).await.unwrap_err(), expected, "{person}");
    }
}

#[tokio::test]
async fn a_deployment_can_accept_other_roles() {
    let user_administrator = "fe930be7-5e62-47db-91af-98c3a49a38b1";
    let world = World::with(|settings| {
        let public = settings.clouds.get_mut(&Cloud::Public).unwrap();
        public.approver_roles = Some(vec![user_administrator.to_owned()]);
    })
    .await;
    let person = world.sign_in(Cloud::Public, CONTOSO, "user_administrator").await.unwrap();
    assert_eq!(person.approver_role, user_administrator);
    assert_eq!(world.contoso().await.unwrap_err(), SignInError::NotAnApprover);
}

/// The address depends on the cloud and the tenant only, so it says nothing about which tenants exist.
#[tokio::test]
async fn the_address_of_the_sign_in_page_needs_no_request() {
    let world = World::start().await;
    let url = world.authorize_url(Cloud::Public, CONTOSO);
    assert_eq!(url.replace(CONTOSO, FABRIKAM), world.authorize_url(Cloud::Public, FABRIKAM));
    let (page, query) = url.split_once('?').unwrap();
    assert_eq!(page, format!("{}/public/{CONTOSO}/oauth2/v2.0/authorize", world.provider.url()));
    for parameter in [
        "client_id=d0d0d0d0-0000-4000-8000-00000000000a",
        "response_type=code",
        "response_mode=fragment",
        "redirect_uri=http%3A%2F%2F127.0.0.1%3A3000%2Fsigned-in%2Fpublic",
        "scope=openid+profile",
        "state=state",
        "nonce=nonce",
        "code_challenge_method=S256",
        "prompt=login",
        "max_age=900",
    ] {
        assert!(query.split('&').any(|one| one == parameter), "{parameter} in {query}");
    }
    assert!(!url.contains(VERIFIER));
    assert_eq!(world.of(Cloud::Public).host(), world.provider.url().trim_start_matches("http://"));
    assert_eq!(world.provider.requests(Endpoint::Discovery), 0);
}

/// Attack 8.
#[tokio::test]
async fn a_code_works_once() {
    let world = World::start().await;
    let code = world.code(Cloud::Public, CONTOSO, ADMINISTRATOR);
    world.redeem(Cloud::Public, CONTOSO, &code).await.unwrap();
    let again = world.redeem(Cloud::Public, CONTOSO, &code).await;
    assert_eq!(again.unwrap_err(), SignInError::Failed(Check::Code));
}

#[tokio::test]
async fn a_code_posted_twice_at_once_works_once() {
    let world = World::start().await;
    let code = world.code(Cloud::Public, CONTOSO, ADMINISTRATOR);
    let redeem = || world.redeem(Cloud::Public, CONTOSO, &code);
    let (one, two) = tokio::join!(redeem(), redeem());
    let failed: Vec<_> = [one, two].into_iter().filter_map(Result::err).collect();
    assert_eq!(failed, [SignInError::Failed(Check::Code)]);
}

/// Attacks 1, 9 and 11: the code of another tenant, browser or cloud.
#[tokio::test]
async fn a_code_works_only_where_its_sign_in_began() {
    let world = World::start().await;
    let code = || world.code(Cloud::Public, CONTOSO, ADMINISTRATOR);
    let refused = SignInError::Failed(Check::Code);
    let tenant = world.redeem(Cloud::Public, FABRIKAM, &code()).await;
    assert_eq!(tenant.unwrap_err(), refused, "another tenant");
    let cloud = world.redeem(Cloud::UsGov, CONTOSO, &code()).await;
    assert_eq!(cloud.unwrap_err(), refused, "another cloud");
    let browser = world.redeem_with(Cloud::Public, CONTOSO, &code(), NONCE, "another-verifier").await;
    assert_eq!(browser.unwrap_err(), refused, "another browser");
    let nonce = world.redeem_with(Cloud::Public, CONTOSO, &code(), "another nonce", VERIFIER).await;
    assert_eq!(nonce.unwrap_err(), SignInError::Failed(Check::Nonce), "another nonce");
    for text in ["", "unknown", "a b&c=d", "\u{1f600}"] {
        let unknown = world.redeem(Cloud::Public, CONTOSO, text).await;
        assert_eq!(unknown.unwrap_err(), refused, "{text:?}");
    }
}

#[tokio::test]
async fn a_wrong_credential_is_not_taken_for_a_wrong_code() {
    for credential in [Some(Credential::parse("wrong").unwrap()), None] {
        let world = World::with(|settings| {
            let public = settings.clouds.get_mut(&Cloud::Public).unwrap();
            *public = CloudSettings { credential, ..public.clone() };
        })
        .await;
        assert_eq!(world.contoso().await.unwrap_err(), SignInError::Failed(Check::Client));
    }
}
