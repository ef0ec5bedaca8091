//! `sign-in check` against the local run.

use std::collections::BTreeSet;

use domain::Cloud;
use local::sign_in_check::{Finding, check};
use tests::provider::with_provider;

use crate::common::*;

/// The texts of checks that held, and of those that failed.
fn sorted(findings: &[Finding]) -> (BTreeSet<String>, BTreeSet<String>) {
    let texts = |wanted: bool| {
        let text = |finding: &Finding| match finding {
            Finding::Check(held, text) if *held == wanted => Some(text.clone()),
            _ => None,
        };
        findings.iter().filter_map(text).collect()
    };
    (texts(true), texts(false))
}

#[tokio::test]
async fn a_deployment_that_is_set_up_passes() {
    let Some((world, provider)) = with_provider(|_| {}).await else { return };
    let base_url = world.here().expect("the local system").0.base_url().to_owned();
    for cloud in [Cloud::Public, Cloud::UsGov] {
        let findings = check(&format!("{base_url}/"), &tenant(CONTOSO), Some(cloud)).await;
        let (held, failed) = sorted(&findings);
        assert_eq!(failed, BTreeSet::new(), "{cloud}");
        assert!(held.len() >= 9, "{held:?}");
        let uri = format!("Redirect URI to register: {base_url}/signed-in/{cloud}");
        assert!(findings.contains(&Finding::Note(uri)), "{findings:?}");
    }
    provider.distort(|_, answer| answer.status = 404);
    let (_, failed) = sorted(&check(&base_url, &tenant(CONTOSO), Some(Cloud::Public)).await);
    let failed: Vec<_> = failed.into_iter().collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].ends_with("does not return a document; is the tenant id right?"), "{failed:?}");
}

#[tokio::test]
async fn a_deployment_without_sign_in_or_that_cannot_be_reached_fails() {
    let world = tests::World::start_here(|_| {}).await;
    let base_url = world.here().expect("the local system").0.base_url().to_owned();
    let (_, failed) = sorted(&check(&base_url, &tenant(CONTOSO), None).await);
    assert_eq!(failed, ["no cloud has sign-in".to_owned()].into());
    for url in ["http://127.0.0.1:1", "http://example.com", "ftp://127.0.0.1", ""] {
        let (_, failed) = sorted(&check(url, &tenant(CONTOSO), None).await);
        assert_eq!(failed, [format!("{url}/v1/policy does not return the policy")].into());
    }
}
