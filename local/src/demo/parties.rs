//! The parties of the scenario, and the calls that each can make.

use domain::Timestamp;
use local::api::Call;
use platform::secrets::signature::{SigningSecret, sign};
use serde_json::{Value, json};

/// A registered customer.
#[derive(Clone)]
pub struct Customer {
    pub name: &'static str,
    pub tenant_id: &'static str,
    pub key: String,
}

/// An enrolled partner.
#[derive(Clone)]
pub struct Partner {
    pub name: &'static str,
    pub id: String,
    pub key: String,
    pub signing_secret: SigningSecret,
}

pub struct Parties {
    pub contoso: Customer,
    pub wingtip_office: Customer,
    pub woodgrove: Customer,
    pub fabrikam: Partner,
    pub northwind: Partner,
    pub wingtip_sales: Partner,
    pub litware: Partner,
    pub proseware: Partner,
}

/// What a partner sells.
pub struct Offer {
    pub id: &'static str,
    pub service: &'static str,
    pub quantity: u32,
}

impl Customer {
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(method, format!("/v1/customers/{}{path}", self.tenant_id)).key(&self.key)
    }

    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    pub fn ends_relationship(&self, partner: &Partner) -> Call {
        self.call("DELETE", &format!("/partners/{}", partner.id))
    }

    /// Accepts the first version of an invitation, with a decision on delegated administration if the invitation asks for it.
    pub fn accepts(&self, invitation_id: &str, delegated_admin: Option<Value>) -> Call {
        let accepted_by = json!({"name": "Ada Lopez", "email": "ada@contoso.example"});
        let mut body = json!({"version": 1, "accepted_by": accepted_by});
        if let Some(decision) = delegated_admin {
            body["delegated_admin"] = decision;
        }
        self.call("POST", &format!("/invitations/{invitation_id}/accept")).json(&body)
    }
}

impl Partner {
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(method, format!("/v1/partners/{}{path}", self.id)).key(&self.key)
    }

    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    fn post(&self, path: &str, body: &Value) -> Call {
        self.call("POST", path).json(body)
    }

    /// An invitation under an idempotency key. A null `delegated_admin` asks for none.
    pub fn invites(&self, tenant_id: &str, delegated_admin: Value, key: &str) -> Call {
        let body = json!({"customer_tenant_id": tenant_id, "delegated_admin": delegated_admin});
        self.post("/invitations", &body).idempotency_key(key)
    }

    pub fn renews(&self, invitation_id: &str) -> Call {
        self.call("POST", &format!("/invitations/{invitation_id}/renew"))
    }

    pub fn registers(&self, offer: &Offer, customer: &Customer) -> Call {
        self.post("/subscriptions", &offer.body(customer))
    }

    /// A registration that names another partner of record.
    pub fn registers_for(&self, other: &Partner, offer: &Offer, customer: &Customer) -> Call {
        let mut body = offer.body(customer);
        body["partner_of_record"] = json!(other.id);
        self.post("/subscriptions", &body)
    }

    /// A webhook, signed according to Standard Webhooks.
    pub fn webhook(&self, path: &str, id: &str, at: Timestamp, kind: &str, data: Value) -> Call {
        let body = json!({"type": kind, "timestamp": "2026-11-23T09:00:00Z", "data": data});
        let signature = sign(&self.signing_secret, id, at.seconds(), body.to_string().as_bytes());
        Call::post(format!("/v1/webhooks/{}{path}", self.id), &body)
            .header("webhook-id", id)
            .header("webhook-timestamp", at.seconds().to_string())
            .header("webhook-signature", signature)
    }
}

impl Offer {
    /// The body that registers it for a customer.
    pub fn body(&self, customer: &Customer) -> Value {
        json!({
            "subscription_id": self.id, "customer_tenant_id": customer.tenant_id, "service": self.service,
            "offer_id": format!("{}-standard", self.service), "quantity": self.quantity,
            "billing_cycle": "monthly", "term": "P1Y",
        })
    }
}
