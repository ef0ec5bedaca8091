//! Signing in as an administrator of a customer, at the development identity provider, as the pages do it.

use std::collections::BTreeMap;

use local::api::{Answer, Call};
use serde_json::json;

use super::error::{FailedStep, Stop};
use super::parties::Customer;
use super::scenario::Scenario;

/// A browser in which an administrator has signed in.
pub struct Browser {
    /// `name=value`
    cookie: String,
}

impl Browser {
    /// The call of a customer with the session instead of the key.
    pub fn sends(&self, mut call: Call) -> Call {
        call.headers.retain(|(name, _)| name != "authorization");
        from_page(call).header("cookie", self.cookie.as_str())
    }
}

/// A call as a page of the service sends it.
fn from_page(call: Call) -> Call {
    call.header("x-multipartner", "1").header("sec-fetch-site", "same-origin")
}

/// The first cookie that a response sets, as a browser sends it.
fn cookie(answer: &Answer) -> Result<String, FailedStep> {
    let set = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
    set.map(str::to_owned).ok_or_else(|| FailedStep::Missing("set-cookie".to_owned()))
}

/// A sample person of a customer goes from an invitation's page to the provider and back. Returns what the service then responds.
async fn sign_in(
    scenario: &mut Scenario,
    customer: &Customer,
    invitation_id: &str,
    person: &str,
) -> Result<Answer, Stop> {
    let body = json!({"tenant_id": customer.tenant_id, "cloud": "public", "invitation_id": invitation_id});
    let started = scenario.read(from_page(Call::post("/v1/sign-in", &body))).await?;
    let url = FailedStep::text(&started, "/authorize_url")?;
    let back = scenario.identity_provider().sign_in(&url, person);
    let back = back.ok_or_else(|| FailedStep::Missing("return from the identity provider".to_owned()))?;
    let fragment = back.split_once('#').map(|(_, fragment)| fragment).unwrap_or_default();
    let given: BTreeMap<_, _> = form_urlencoded::parse(fragment.as_bytes()).into_owned().collect();
    let given = |name: &str| given.get(name).cloned().unwrap_or_default();
    let body = json!({"cloud": "public", "code": given("code"), "state": given("state"), "iss": given("iss")});
    scenario.send(&from_page(Call::post("/v1/sessions", &body)).header("cookie", cookie(&started)?)).await
}

/// Only a global administrator with an account of the customer gets a session. Returns the browser of that person.
pub async fn as_administrator(
    scenario: &mut Scenario,
    customer: &Customer,
    invitation_id: &str,
) -> Result<Browser, Stop> {
    for (who, person, code) in [
        ("a user administrator", "user_administrator", "not_an_approver"),
        ("a guest with the role of a global administrator", "guest_administrator", "approver_not_home"),
        ("an employee of a partner", "partner_employee", "approver_not_home"),
    ] {
        let refused = sign_in(scenario, customer, invitation_id, person).await?;
        let held = refused.status == 403 && refused.code() == code;
        let text = format!("{who} of {} gets no session ({} {})", customer.name, refused.status, refused.code());
        scenario.check(&text, held)?;
    }
    let text = format!("a global administrator of {} signs in", customer.name);
    scenario.print(&text)?;
    let signed_in = sign_in(scenario, customer, invitation_id, "global_administrator").await?;
    FailedStep::unless_status(&text, &signed_in, 201)?;
    Ok(Browser { cookie: cookie(&signed_in)? })
}
