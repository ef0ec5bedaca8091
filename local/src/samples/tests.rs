use platform::secrets::AccessKeyText;
use serde_json::{Value, json};

use super::*;
use crate::{Local, Options, start};

async fn seeded() -> (Local, Samples) {
    let local = start(Options::default()).await.unwrap();
    let samples = seed(local.base_url(), local.operator_key()).await.unwrap();
    (local, samples)
}

/// Sends a step's request and returns status and JSON.
async fn take(step: &Step) -> (u16, Value) {
    let mut request = reqwest::Client::new().request(step.method.parse().unwrap(), &step.url);
    if let Some(key) = &step.key {
        request = request.bearer_auth(key);
    }
    if let Some(body) = &step.body {
        request = request.json(body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn the_steps_work_in_order() {
    let (local, samples) = seeded().await;
    let mut answers = Vec::new();
    for step in &steps(&samples, local.base_url()) {
        let (status, answer) = take(step).await;
        assert_eq!(status, step.status, "{}: {answer}", step.about);
        answers.push(answer);
    }
    assert_eq!(answers[3]["items"].as_array().unwrap().len(), 2);
    assert_eq!(answers[4]["items"].as_array().unwrap().len(), 2);
    assert_eq!(answers[5]["code"], "subscription_exists");
}

#[tokio::test]
async fn seeding_again_finds_the_same_samples() {
    let (local, first) = seeded().await;
    let again = seed(local.base_url(), local.operator_key()).await.unwrap();
    assert_eq!(format!("{first:?}"), format!("{again:?}"));
}

#[tokio::test]
async fn seeding_again_keeps_later_changes() {
    let (local, first) = seeded().await;
    for step in steps(&first, local.base_url()) {
        take(&step).await;
    }
    let rename = reqwest::Client::new().patch(format!("{}/v1/customers/{}", local.base_url(), first.contoso.id));
    let rename = rename.bearer_auth(local.operator_key().expose_secret()).json(&json!({"name": "Contoso Ltd."}));
    assert_eq!(rename.send().await.unwrap().status(), 200);
    let again = seed(local.base_url(), local.operator_key()).await.unwrap();
    assert!(again.invitation.is_none(), "it has been accepted");
    assert_eq!(again.northwind.key, first.northwind.key);
    assert_eq!(steps(&again, local.base_url()).len(), 4);
}

#[tokio::test]
async fn a_failed_request_is_named() {
    let (local, _) = seeded().await;
    let stranger = AccessKeyText::from_bytes(&[7; 32]);
    let error = seed(local.base_url(), &stranger).await.unwrap_err();
    assert_eq!(error.to_string(), "/v1/keys returned 401 without /key");
}

#[test]
fn a_curl_command_is_quoted_for_the_shell() {
    let step = Step {
        about: "",
        method: "PATCH",
        url: "http://127.0.0.1:3000/v1".into(),
        key: Some("mpk_1".into()),
        body: Some(json!({"name": "O'Neil $HOME `id`"})),
        status: 200,
    };
    assert_eq!(
        step.to_string(),
        r#"curl -sS -w '\n' -X PATCH http://127.0.0.1:3000/v1 -H 'authorization: Bearer mpk_1' -H 'content-type: application/json' -d '{"name":"O'\''Neil $HOME `id`"}'"#
    );
}

#[test]
fn every_tenant_has_a_partner_id() {
    use super::tenants::*;
    for tenant in [CONTOSO, FABRIKAM, NORTHWIND, WINGTIP_SALES, WINGTIP_OFFICE, WOODGROVE, LITWARE, PROSEWARE] {
        assert!(tenant.partner_id().is_some(), "{}", tenant.name);
    }
}
