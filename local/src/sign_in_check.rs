//! Checks how a deployment is set up for sign-in, from outside: with its policy, with the address that it sends browsers to, and
//! with what its identity providers publish. It needs no secret and signs in no person.

use std::sync::Arc;
use std::time::Duration;

use domain::{Cloud, TenantId};
use http::{Method, Request};
use platform::outbound::{Fetched, Fetcher, Loopback, ServerUrl, SystemResolver};
use serde_json::{Value, json};
use tokio::time::Instant;

/// The time limit for each request.
const WAIT: Duration = Duration::from_secs(10);

/// A line of the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Cloud(String),
    Note(String),
    /// Whether it held.
    Check(bool, String),
}

/// Checks one cloud of the deployment's policy, or every cloud. Providers are asked about this tenant.
pub async fn check(url: &str, tenant: &TenantId, only: Option<Cloud>) -> Vec<Finding> {
    let base_url = url.trim_end_matches('/');
    let mut report = Report { findings: Vec::new() };
    let Ok(fetcher) = Fetcher::new(Arc::new(SystemResolver), None, Loopback::Allowed) else {
        report.check(false, "this machine has no root certificates");
        return report.findings;
    };
    let checker = Checker { fetcher, base_url, tenant };
    let Some(policy) = checker.json(&format!("{base_url}/v1/policy")).await else {
        report.check(false, format!("{base_url}/v1/policy does not return the policy"));
        return report.findings;
    };
    for cloud in Cloud::ALL.iter().filter(|cloud| only.is_none_or(|only| only == **cloud)) {
        report.findings.push(Finding::Cloud(format!("Cloud {cloud}")));
        match &policy["clouds"][cloud.as_str()]["sign_in"] {
            Value::Object(rules) => checker.cloud(&mut report, *cloud, &Value::Object(rules.clone())).await,
            _ => report.note("No sign-in: this deployment has no client id for the cloud."),
        }
    }
    if report.findings.iter().all(|finding| !matches!(finding, Finding::Check(..))) {
        report.check(false, "no cloud has sign-in");
    }
    report.findings
}

struct Report {
    findings: Vec<Finding>,
}

impl Report {
    fn note(&mut self, text: impl Into<String>) {
        self.findings.push(Finding::Note(text.into()));
    }

    fn check(&mut self, held: bool, text: impl Into<String>) -> bool {
        self.findings.push(Finding::Check(held, text.into()));
        held
    }
}

struct Checker<'a> {
    fetcher: Fetcher,
    base_url: &'a str,
    tenant: &'a TenantId,
}

impl Checker<'_> {
    async fn cloud(&self, report: &mut Report, cloud: Cloud, rules: &Value) {
        let redirect_uri = format!("{}/signed-in/{cloud}", self.base_url);
        report.note(format!("Redirect URI to register: {redirect_uri}"));
        report.note(format!("Roles that may act for a customer: {}", rules["approver_roles"]));
        let page = self.get(&redirect_uri).await;
        let is_page = page.is_some_and(|page| page.status == 200 && page.body.starts_with(b"<"));
        report.check(is_page, "the redirect URI is a page of this deployment");
        let authorize = self.authorize_url(cloud).await;
        if !report.check(authorize.is_some(), "POST /v1/sign-in returns the address of the sign-in page") {
            return;
        }
        let authorize = authorize.unwrap_or_default();
        let (address, query) = authorize.split_once('?').unwrap_or((&authorize, ""));
        let parameter = |name: &str| {
            form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        report.note(format!("Client id: {}", parameter("client_id").unwrap_or_default()));
        report.check(parameter("redirect_uri") == Some(redirect_uri), "it has the redirect URI above");
        self.provider(report, rules["issuer"].as_str().unwrap_or_default(), address).await;
    }

    /// What the provider of the tenant publishes.
    async fn provider(&self, report: &mut Report, template: &str, authorize: &str) {
        let issuer = template.replace("{tenant}", self.tenant.as_str());
        let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let Some(document) = self.json(&discovery).await else {
            report.check(false, format!("{discovery} does not return a document; is the tenant id right?"));
            return;
        };
        report.check(document["issuer"] == issuer.as_str(), format!("the provider names the issuer {issuer}"));
        report.check(document["authorization_endpoint"] == authorize, "the sign-in page is where the provider has it");
        let has = |member: &str, values: &[&str]| {
            document[member].as_array().is_some_and(|list| values.iter().any(|value| list.contains(&json!(value))))
        };
        report.check(has("id_token_signing_alg_values_supported", &["RS256"]), "the provider signs with RS256");
        let proves = has("token_endpoint_auth_methods_supported", &["client_secret_post", "private_key_jwt"]);
        report.check(proves, "it accepts a secret in the form, or an assertion");
        let same_server = |member: &str| {
            let server = |text: &str| ServerUrl::parse(text, Loopback::Allowed);
            let endpoint = server(document[member].as_str().unwrap_or_default());
            endpoint.zip(server(&discovery)).is_some_and(|(one, other)| one.is_same_server(&other))
        };
        let on_server = same_server("token_endpoint") && same_server("jwks_uri");
        report.check(on_server, "its token endpoint and its keys are on the server of the issuer");
        let keys = self.json(document["jwks_uri"].as_str().unwrap_or_default()).await.unwrap_or_default();
        let signs = |key: &Value| key["kty"] == "RSA" && key["use"] == "sig";
        let count = keys["keys"].as_array().map_or(0, |keys| keys.iter().filter(|key| signs(key)).count());
        report.check(count > 0, format!("it publishes RSA keys ({count})"));
    }

    async fn get(&self, url: &str) -> Option<Fetched> {
        let url = ServerUrl::parse(url, Loopback::Allowed)?;
        self.fetcher.get(&url, Instant::now() + WAIT).await.ok()
    }

    async fn json(&self, url: &str) -> Option<Value> {
        let fetched = self.get(url).await.filter(|fetched| fetched.status == 200)?;
        serde_json::from_slice(&fetched.body).ok()
    }

    /// Where the deployment sends browsers. Nothing is written.
    async fn authorize_url(&self, cloud: Cloud) -> Option<String> {
        let url = ServerUrl::parse(&format!("{}/v1/sign-in", self.base_url), Loopback::Allowed)?;
        let body = json!({"tenant_id": self.tenant, "cloud": cloud});
        let request = Request::builder()
            .method(Method::POST)
            .header("content-type", "application/json")
            .header("origin", self.base_url)
            .header("x-multipartner", "1")
            .body(body.to_string());
        let fetched = self.fetcher.send(&url, request.ok()?, Instant::now() + WAIT).await.ok()?;
        let answer: Value = serde_json::from_slice(&fetched.body).ok()?;
        Some(answer["authorize_url"].as_str()?.to_owned())
    }
}
