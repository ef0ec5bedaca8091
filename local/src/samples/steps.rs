//! Requests to try with the samples, shown as curl commands.

use std::fmt;

use serde_json::{Value, json};

use super::members::{Member, OpenInvitation, Samples};
use super::tenants::CONTOSO;

/// One request to try.
#[derive(Clone, Debug)]
pub struct Step {
    pub about: &'static str,
    pub method: &'static str,
    pub url: String,
    /// The caller's key; `None` if the body identifies the caller.
    pub key: Option<String>,
    pub body: Option<Value>,
    /// The status that it returns if the steps are taken in order.
    pub status: u16,
}

/// A curl command for bash.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "curl -sS -w '\\n'")?;
        // curl sends GET by default, and POST if there is a body.
        if !matches!((self.method, &self.body), ("GET", None) | ("POST", Some(_))) {
            write!(f, " -X {}", self.method)?;
        }
        write!(f, " {}", self.url)?;
        if let Some(key) = &self.key {
            write!(f, " -H 'authorization: Bearer {key}'")?;
        }
        if let Some(body) = &self.body {
            // Within single quotes the shell only interprets the single quote.
            write!(f, " -H 'content-type: application/json' -d '{}'", body.to_string().replace('\'', r"'\''"))?;
        }
        Ok(())
    }
}

/// The requests to try, in order.
pub fn steps(samples: &Samples, base_url: &str) -> Vec<Step> {
    let mut steps = answering(samples, base_url);
    steps.extend(selling(samples, base_url));
    steps
}

/// Contoso answers Northwind's invitation, if it is still pending.
fn answering(samples: &Samples, base_url: &str) -> Vec<Step> {
    let Some(open) = &samples.invitation else { return Vec::new() };
    let contoso = &samples.contoso;
    let post = |about, path: String, key: Option<&str>, body| Step {
        about,
        method: "POST",
        url: format!("{base_url}{path}"),
        key: key.map(str::to_owned),
        body: Some(body),
        status: 200,
    };
    let preview = format!("/v1/invitations/{}/preview", open.id);
    vec![
        post("Contoso previews Northwind's invitation with the link", preview, None, json!({"token": open.token})),
        post("Contoso accepts it", accept_path(contoso, open), Some(&contoso.key), acceptance()),
    ]
}

/// Where the customer accepts with its own key. Its link is not enough to grant roles.
pub fn accept_path(customer: &Member, open: &OpenInvitation) -> String {
    format!("/v1/customers/{}/invitations/{}/accept", customer.id, open.id)
}

fn selling(samples: &Samples, base_url: &str) -> [Step; 4] {
    let (contoso, northwind) = (&samples.contoso, &samples.northwind);
    let register = |about, status, body| Step {
        about,
        method: "POST",
        url: format!("{base_url}/v1/partners/{}/subscriptions", northwind.id),
        key: Some(northwind.key.clone()),
        body: Some(body),
        status,
    };
    let list = |about, what: &str| Step {
        about,
        method: "GET",
        url: format!("{base_url}/v1/customers/{}/{what}", contoso.id),
        key: Some(contoso.key.clone()),
        body: None,
        status: 200,
    };
    [
        register("Northwind registers its own subscription", 201, subscription("NORTHWIND-1", "Contoso labs", 10)),
        list("Contoso lists its two partners", "partners"),
        list("Contoso lists the subscriptions of both; Fabrikam's has not changed", "subscriptions"),
        register(
            "Rejected with 409: Northwind tries to register Fabrikam's subscription",
            409,
            subscription("FABRIKAM-1", "Contoso offices", 25),
        ),
    ]
}

/// An acceptance of an invitation that has not changed.
pub fn acceptance() -> Value {
    json!({
        "version": 1,
        "accepted_by": {"name": "Ada Lopez", "email": "ada@contoso.example"},
        "delegated_admin": "as_requested",
    })
}

/// A subscription for Contoso.
pub fn subscription(id: &str, friendly_name: &str, quantity: u32) -> Value {
    json!({
        "subscription_id": id,
        "customer_tenant_id": CONTOSO.tenant_id,
        "service": "office_suite",
        "offer_id": "office-suite-business",
        "quantity": quantity,
        "billing_cycle": "monthly",
        "term": "P1Y",
        "friendly_name": friendly_name,
    })
}
