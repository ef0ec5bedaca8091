//! The story to try: requests as data, shown as curl lines.

use std::fmt;

use serde_json::{Value, json};

use super::{CONTOSO, Samples};

/// One request of the story.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it shows.
    pub about: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// The caller's key; `None` when the body proves who calls.
    pub key: Option<String>,
    /// The body.
    pub body: Option<Value>,
    /// The status it ends with when the steps are taken in order.
    pub status: u16,
}

/// A curl line that bash takes as it is.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "curl -sS -w '\\n'")?;
        // curl takes GET without, and POST with a body.
        if !matches!((self.method, &self.body), ("GET", None) | ("POST", Some(_))) {
            write!(f, " -X {}", self.method)?;
        }
        write!(f, " {}", self.url)?;
        if let Some(key) = &self.key {
            write!(f, " -H 'authorization: Bearer {key}'")?;
        }
        if let Some(body) = &self.body {
            // In single quotes the shell leaves everything alone but the single quote itself.
            write!(f, " -H 'content-type: application/json' -d '{}'", body.to_string().replace('\'', r"'\''"))?;
        }
        Ok(())
    }
}

impl Samples {
    /// What to try, in order.
    pub fn story(&self, base_url: &str) -> Vec<Step> {
        let url = |path: String| format!("{base_url}{path}");
        let (contoso, northwind) = (&self.contoso, &self.northwind);
        let step = |about, url, key: &str| Step {
            about,
            method: "GET",
            url,
            key: Some(key.to_owned()).filter(|key| !key.is_empty()),
            body: None,
            status: 200,
        };
        let post = |about, status, url, key: &str, body| Step {
            method: "POST",
            body: Some(body),
            status,
            ..step(about, url, key)
        };
        let mut steps = Vec::new();
        if let Some(open) = &self.invitation {
            let of_invitation = |act: &str| url(format!("/v1/invitations/{}/{act}", open.id));
            let token = json!({"token": open.token});
            steps.push(post("Contoso looks at Northwind's invitation", 200, of_invitation("preview"), "", token));
            let accepting = acceptance(&open.token);
            steps.push(post("Contoso accepts it by the link", 200, of_invitation("accept"), "", accepting));
        }
        let subscriptions = url(format!("/v1/partners/{}/subscriptions", northwind.id));
        let registration = subscription("NORTHWIND-1", "Contoso labs", 10);
        steps.push(post(
            "Northwind registers a subscription of its own",
            201,
            subscriptions.clone(),
            &northwind.key,
            registration,
        ));
        let of_contoso = |what: &str| url(format!("/v1/customers/{}/{what}", contoso.id));
        steps.push(step("Contoso has two partners now", of_contoso("partners"), &contoso.key));
        steps.push(step("and a subscription of each, Fabrikam's as it was", of_contoso("subscriptions"), &contoso.key));
        let taken = subscription("FABRIKAM-1", "Contoso offices", 25);
        steps.push(post(
            "Refused: Northwind can't take over Fabrikam's subscription",
            409,
            subscriptions,
            &northwind.key,
            taken,
        ));
        steps
    }
}

/// An acceptance by link, by somebody at Contoso.
pub(super) fn acceptance(token: &str) -> Value {
    json!({
        "token": token,
        "accepted_by": {"name": "Ada Lopez", "email": "ada@contoso.example", "role": "global_admin"},
        "delegated_admin": "as_requested",
    })
}

/// A subscription for Contoso.
pub(super) fn subscription(id: &str, friendly_name: &str, quantity: u32) -> Value {
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
