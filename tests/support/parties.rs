//! Partners and customers, and the calls they make.

use domain::KeyId;
use platform::secrets::AccessKeyText;
use platform::secrets::signature::{SigningSecret, sign};
use serde_json::{Value, json};

use crate::{Answer, Call, World};

/// A registered customer with a key.
#[derive(Clone, Debug)]
pub struct Customer {
    pub tenant_id: String,
    /// A key with the role `global_admin`.
    pub key: String,
}

/// An enrolled partner with a key.
#[derive(Clone, Debug)]
pub struct Partner {
    pub partner_id: String,
    pub tenant_id: String,
    /// A key with the role `global_admin`.
    pub key: String,
    /// `whsec_…`.
    pub signing_secret: String,
}

/// The public id of an access key.
pub fn key_id(key: &str) -> String {
    KeyId::from_hash(&AccessKeyText::parse(key).expect("a key").hash()).to_string()
}

impl World {
    pub async fn operator(&self, call: Call) -> Answer {
        self.send(&call.key(self.operator_key())).await
    }

    /// Registers a customer in the public cloud, market US.
    pub async fn customer(&self) -> Customer {
        self.customer_in("public", "US").await
    }

    pub async fn customer_in(&self, cloud: &str, market: &str) -> Customer {
        let tenant_id = self.tenant_id();
        let body = json!({"tenant_id": tenant_id, "name": "Contoso", "cloud": cloud, "market": market});
        self.operator(Call::post("/v1/customers", &body)).await.expect(201);
        let key = self.issue_key(json!({"kind": "customer", "id": tenant_id}), &["global_admin"]).await;
        Customer { tenant_id, key }
    }

    /// Enrols a partner in the public cloud, market US.
    pub async fn partner(&self) -> Partner {
        self.partner_in("public", "US").await
    }

    pub async fn partner_in(&self, cloud: &str, market: &str) -> Partner {
        let tenant_id = self.tenant_id();
        let body = json!({"tenant_id": tenant_id, "name": "Northwind", "cloud": cloud, "market": market});
        let enrolled = self.operator(Call::post("/v1/partners", &body)).await.expect(201);
        let partner_id = enrolled["partner"]["partner_id"].as_str().expect("an id").to_owned();
        let signing_secret = enrolled["signing_secret"].as_str().expect("a secret").to_owned();
        let key = self.issue_key(json!({"kind": "partner", "id": partner_id}), &["global_admin"]).await;
        Partner { partner_id, tenant_id, key, signing_secret }
    }

    pub async fn issue_key(&self, principal: Value, roles: &[&str]) -> String {
        let body = json!({"principal": principal, "roles": roles, "name": "test"});
        let issued = self.operator(Call::post("/v1/keys", &body)).await.expect(201);
        issued["key"].as_str().expect("a key").to_owned()
    }

    /// Creates an invitation under a new idempotency key.
    pub async fn invite(&self, partner: &Partner, customer: &Customer, delegated_admin: Value) -> Answer {
        let body = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": delegated_admin});
        self.send(&partner.create(&body).idempotency_key(self.unique())).await
    }

    /// Creates an invitation and accepts it: by the customer's key, or by link if the customer has no key. Returns its id.
    pub async fn relate(&self, partner: &Partner, customer: &Customer) -> String {
        let created = self.invite(partner, customer, Value::Null).await.expect(201);
        let (id, token) = link(&created);
        let by_link = customer.key.is_empty();
        let accept =
            if by_link { accept_by_link(&id, &token, &Value::Null) } else { customer.accept(&id, &Value::Null) };
        self.send(&accept).await.expect(200);
        id
    }
}

impl World {
    /// Creates an invitation. Returns its id and its link's token.
    pub async fn open(&self, partner: &Partner, customer: &Customer, delegated_admin: Value) -> (String, String) {
        link(&self.invite(partner, customer, delegated_admin).await.expect(201))
    }

    /// Issues another key to a partner.
    pub async fn further_key(&self, partner: &Partner, roles: &[&str]) -> Partner {
        let key = self.issue_key(json!({"kind": "partner", "id": partner.partner_id}), roles).await;
        Partner { key, ..partner.clone() }
    }

    /// Suspends a partner and waits until no function has the old status cached.
    pub async fn suspend(&self, partner: &Partner) {
        self.operator(Call::new("POST", format!("/v1/partners/{}/suspend", partner.partner_id))).await.expect(200);
        self.forget().await;
    }

    /// Enrols a customer's tenant as a partner, so that it is a CSP tenant.
    pub async fn enrol(&self, customer: &Customer, cloud: &str, market: &str) {
        let body = json!({"tenant_id": customer.tenant_id, "name": "Contoso", "cloud": cloud, "market": market});
        self.operator(Call::post("/v1/partners", &body)).await.expect(201);
    }

    /// [`World::forget`] on the local system, where it takes no time.
    pub async fn forget_here(&self) {
        if self.here().is_some() {
            self.forget().await;
        }
    }

    /// Waits until caches of partners and keys have expired, after 30 s.
    pub async fn forget(&self) {
        match self.here() {
            Some((_, clock)) => clock.advance_millis(30_000),
            None => tokio::time::sleep(std::time::Duration::from_secs(31)).await,
        }
    }
}

impl World {
    /// A call by the operator that attests a relationship since some day of the past.
    pub fn import(&self, partner: &Partner, customer: &Customer) -> Call {
        self.import_with(partner, customer, &json!({"since": "2020-02-29T12:00:00Z"}))
    }

    pub fn import_with(&self, partner: &Partner, customer: &Customer, body: &Value) -> Call {
        let path = format!("/v1/partners/{}/customers/{}", partner.partner_id, customer.tenant_id);
        Call::new("PUT", path).key(self.operator_key()).json(body)
    }

    /// A call by the operator that erases the personal data of an invitation.
    pub fn erase(&self, invitation_id: &str) -> Call {
        Call::new("POST", format!("/v1/invitations/{invitation_id}/erase")).key(self.operator_key())
    }
}

/// A request for delegated administration.
pub fn asking(roles: &[&str], duration: &str) -> Value {
    json!({"roles": roles, "duration": duration})
}

/// The invitation's id and the token in an `accept_url`.
pub fn link(created: &Value) -> (String, String) {
    let url = created["accept_url"].as_str().expect("a link");
    let (page, token) = url.split_once('#').expect("a token");
    (page.rsplit('/').next().expect("an id").to_owned(), token.to_owned())
}

/// The body of an acceptance by link. If `delegated_admin` is null, the member is omitted.
pub fn acceptance(token: &str, delegated_admin: &Value) -> Value {
    let accepted_by = json!({"name": "Avery Howard", "email": "avery@contoso.example", "role": "global_admin"});
    let mut body = json!({"token": token, "accepted_by": accepted_by});
    if !delegated_admin.is_null() {
        body["delegated_admin"] = delegated_admin.clone();
    }
    body
}

pub fn accept_by_link(invitation_id: &str, token: &str, delegated_admin: &Value) -> Call {
    Call::post(format!("/v1/invitations/{invitation_id}/accept"), &acceptance(token, delegated_admin))
}

pub fn preview(invitation_id: &str, token: &str) -> Call {
    Call::post(format!("/v1/invitations/{invitation_id}/preview"), &json!({"token": token}))
}

pub fn decline_by_link(invitation_id: &str, token: &str) -> Call {
    Call::post(format!("/v1/invitations/{invitation_id}/decline"), &json!({"token": token}))
}

impl Partner {
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(method, format!("/v1/partners/{}{path}", self.partner_id)).key(&self.key)
    }

    /// Creates an invitation by key. The idempotency key is still to be added.
    pub fn create(&self, body: &Value) -> Call {
        self.call("POST", "/invitations").json(body)
    }

    /// Invites a customer under this idempotency key.
    pub fn asks(&self, customer: &Customer, delegated_admin: &Value, key: &str) -> Call {
        let body = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": delegated_admin});
        self.create(&body).idempotency_key(key)
    }

    pub fn cancel(&self, invitation_id: &str) -> Call {
        self.call("POST", &format!("/invitations/{invitation_id}/cancel"))
    }

    pub fn renew(&self, invitation_id: &str) -> Call {
        self.call("POST", &format!("/invitations/{invitation_id}/renew"))
    }

    /// Ends the relationship with a customer.
    pub fn end(&self, customer: &Customer) -> Call {
        self.call("DELETE", &format!("/customers/{}", customer.tenant_id))
    }

    pub fn register(&self, body: &Value) -> Call {
        self.call("POST", "/subscriptions").json(body)
    }

    /// Registers several subscriptions at once.
    pub fn register_batch(&self, bodies: &[Value]) -> Call {
        self.call("POST", "/subscriptions/batch").json(&json!({"subscriptions": bodies}))
    }

    /// A signed webhook to `/v1/webhooks/{partner_id}{path}`.
    pub fn webhook(&self, path: &str, id: &str, unix_seconds: i64, body: &[u8]) -> Call {
        let secret = SigningSecret::parse(&self.signing_secret).expect("a secret");
        Call::new("POST", format!("/v1/webhooks/{}{path}", self.partner_id))
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", unix_seconds.to_string())
            .header("webhook-signature", sign(&secret, id, unix_seconds, body))
            .bytes(body)
    }
}

impl Customer {
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(method, format!("/v1/customers/{}{path}", self.tenant_id)).key(&self.key)
    }

    /// Accepts the first version of an invitation by key. If `delegated_admin` is null, the member is omitted.
    pub fn accept(&self, invitation_id: &str, delegated_admin: &Value) -> Call {
        self.accept_version(invitation_id, 1, delegated_admin)
    }

    /// Accepts this version of an invitation by key.
    pub fn accept_version(&self, invitation_id: &str, version: u64, delegated_admin: &Value) -> Call {
        let person = json!({"name": "Avery Howard", "email": "avery@contoso.example"});
        let mut body = json!({"version": version, "accepted_by": person});
        if !delegated_admin.is_null() {
            body["delegated_admin"] = delegated_admin.clone();
        }
        self.call("POST", &format!("/invitations/{invitation_id}/accept")).json(&body)
    }

    pub fn decline(&self, invitation_id: &str) -> Call {
        self.call("POST", &format!("/invitations/{invitation_id}/decline"))
    }

    /// Ends the relationship with a partner.
    pub fn end(&self, partner: &Partner) -> Call {
        self.call("DELETE", &format!("/partners/{}", partner.partner_id))
    }
}

/// The body of a registration.
pub fn registration(subscription_id: &str, customer: &Customer) -> Value {
    json!({
        "subscription_id": subscription_id, "customer_tenant_id": customer.tenant_id, "service": "azure",
        "offer_id": "azure-plan", "quantity": 1, "billing_cycle": "monthly", "term": "P1M",
    })
}
