//! Who plays, and what each of them can send.

use domain::Timestamp;
use local::api::{Answer, Call};
use platform::secrets::signature::{SigningSecret, sign};
use reqwest::Method;
use serde_json::{Value, json};

/// A tenant before it is registered.
pub struct Organisation {
    pub name: &'static str,
    pub tenant_id: &'static str,
    pub cloud: &'static str,
}

pub const CONTOSO: Organisation = public("Contoso", "c0c0c0c0-0000-4000-8000-000000000001");
pub const FABRIKAM: Organisation = public("Fabrikam", "fabfabfa-0000-4000-8000-000000000002");
pub const NORTHWIND: Organisation = public("Northwind", "90070000-0000-4000-8000-000000000003");
/// A company with two tenants: from one it sells, the other is its own office.
pub const WINGTIP_SALES: Organisation = public("Wingtip Sales", "11111111-0000-4000-8000-000000000004");
pub const WINGTIP_OFFICE: Organisation = public("Wingtip Office", "11111111-0000-4000-8000-000000000005");
pub const WOODGROVE: Organisation = us_gov("Woodgrove County", "60000000-0000-4000-8000-000000000006");
pub const LITWARE: Organisation = us_gov("Litware", "60000000-0000-4000-8000-000000000007");
pub const PROSEWARE: Organisation = us_gov("Proseware", "60000000-0000-4000-8000-000000000008");

const fn public(name: &'static str, tenant_id: &'static str) -> Organisation {
    Organisation { name, tenant_id, cloud: "public" }
}

const fn us_gov(name: &'static str, tenant_id: &'static str) -> Organisation {
    Organisation { name, tenant_id, cloud: "us_gov" }
}

impl Organisation {
    /// The body that registers or enrols it.
    pub fn body(&self) -> Value {
        json!({"tenant_id": self.tenant_id, "name": self.name, "cloud": self.cloud, "market": "US"})
    }
}

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

/// Everybody.
pub struct Cast {
    pub contoso: Customer,
    pub wingtip_office: Customer,
    pub woodgrove: Customer,
    pub fabrikam: Partner,
    pub northwind: Partner,
    pub wingtip_sales: Partner,
    pub litware: Partner,
    pub proseware: Partner,
}

/// What somebody sells.
pub struct Offer {
    pub id: &'static str,
    pub service: &'static str,
    pub quantity: u32,
}

impl Customer {
    /// A call by its own key.
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call::new(method, format!("/v1/customers/{}{path}", self.tenant_id)).key(&self.key)
    }

    /// Reading by its own key.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// The end of a relationship.
    pub fn leaves(&self, partner: &Partner) -> Call {
        self.call(Method::DELETE, &format!("/partners/{}", partner.id))
    }
}

impl Partner {
    /// A call by its own key.
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call::new(method, format!("/v1/partners/{}{path}", self.id)).key(&self.key)
    }

    /// Reading by its own key.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    fn post(&self, path: &str, body: &Value) -> Call {
        Call::post(format!("/v1/partners/{}{path}", self.id), body).key(&self.key)
    }

    /// An invitation under a name of the partner's own; null asks for no delegated administration.
    pub fn invites(&self, tenant_id: &str, delegated_admin: Value, name: &str) -> Call {
        let body = json!({"customer_tenant_id": tenant_id, "delegated_admin": delegated_admin});
        self.post("/invitations", &body).idempotency_key(name)
    }

    /// A new link for an invitation.
    pub fn renews(&self, invitation_id: &str) -> Call {
        self.call(Method::POST, &format!("/invitations/{invitation_id}/renew"))
    }

    /// A registration by key.
    pub fn registers(&self, offer: &Offer, customer: &Customer) -> Call {
        self.post("/subscriptions", &offer.body(customer))
    }

    /// A registration of which somebody else should be the partner of record.
    pub fn registers_for(&self, other: &Partner, offer: &Offer, customer: &Customer) -> Call {
        let mut body = offer.body(customer);
        body["partner_of_record"] = json!(other.id);
        self.post("/subscriptions", &body)
    }

    /// A webhook, signed as Standard Webhooks say. The messages of one id differ only in what is passed here.
    pub fn webhook(&self, path: &str, id: &str, at: Timestamp, kind: &str, data: Value) -> Call {
        let body = json!({"type": kind, "timestamp": "2026-11-23T09:00:00Z", "data": data}).to_string().into_bytes();
        let signature = sign(&self.signing_secret, id, at.seconds(), &body);
        let call = Call { body, ..Call::new(Method::POST, format!("/v1/webhooks/{}{path}", self.id)) };
        call.header("content-type", "application/json")
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

/// What an invitation's link holds.
#[derive(Clone)]
pub struct Link {
    pub invitation_id: String,
    token: String,
}

impl Link {
    /// The link that creating or renewing answered with.
    pub fn of(answer: &Answer) -> Option<Self> {
        let (page, token) = answer.text("/accept_url")?.split_once('#')?;
        Some(Self { invitation_id: page.rsplit('/').next()?.to_owned(), token: token.to_owned() })
    }

    fn post(&self, act: &str, mut body: Value) -> Call {
        body["token"] = json!(self.token);
        Call::post(format!("/v1/invitations/{}/{act}", self.invitation_id), &body)
    }

    /// A look at what is asked.
    pub fn preview(&self) -> Call {
        self.post("preview", json!({}))
    }

    /// Yes, with a word on delegated administration where it is asked for.
    pub fn accepts(&self, delegated_admin: Option<Value>) -> Call {
        self.accepts_as("global_admin", delegated_admin)
    }

    /// Yes, by somebody of this role.
    pub fn accepts_as(&self, role: &str, delegated_admin: Option<Value>) -> Call {
        let mut body = json!({"accepted_by": {"name": "Ada Lopez", "email": "ada@contoso.example", "role": role}});
        if let Some(word) = delegated_admin {
            body["delegated_admin"] = word;
        }
        self.post("accept", body)
    }

    /// No.
    pub fn declines(&self, reason: &str) -> Call {
        self.post("decline", json!({"reason": reason}))
    }
}
