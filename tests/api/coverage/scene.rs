//! For every route a request that succeeds, and the parties that it is about.

use std::sync::Arc;

use domain::{EndpointId, Owner, PartnerId, TenantId, Timestamp};
use local::TABLE;
use local::identity_provider::IdentityProvider;
use platform::store::keys::{self, Key};
use serde_json::{Value, json};
use tests::here::{function_of, policy_with};
use tests::parties::{accept_by_link, acceptance, asking, link, registration};
use tests::provider::{LateClock, Redirect};
use tests::{Answer, Call, Customer, Partner, SeededRandom, SimOptions, World};

use super::request::Request;

/// When later versions of the policy come into force. Everything else happens before, or long after.
pub(crate) const STRICT: &str = "2026-11-24T00:00:00.000Z";
pub(crate) const NO_PUBLIC_CLOUD: &str = "2026-11-25T00:00:00.000Z";
const AS_BEFORE: &str = "2026-11-26T00:00:00.000Z";

pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) provider: IdentityProvider,
}

/// The routes on which a browser signs in and out.
pub(crate) const SIGN_IN: &str = "POST /v1/sign-in";
pub(crate) const NEW_SESSION: &str = "POST /v1/sessions";
pub(crate) const SIGN_OUT: &str = "DELETE /v1/sessions/current";

/// The provider sends people back only to this machine.
const ADDRESS: &str = "http://127.0.0.1:80";
/// The name of the session's cookie.
pub(crate) const SESSION: &str = "session-80";

/// A request that succeeds, and its parties.
#[derive(Clone)]
pub(crate) struct Base {
    pub(crate) request: Request,
    pub(crate) partner: Partner,
    pub(crate) customer: Customer,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let policy = Some(policy_with(|file| {
            let versions = file["versions"].as_array_mut().expect("versions");
            for (number, at) in [(2, STRICT), (3, NO_PUBLIC_CLOUD), (4, AS_BEFORE)] {
                let mut version = versions[0].clone();
                version["version"] = json!(number);
                version["effective_from"] = json!(at);
                match at {
                    STRICT => make_strict(&mut version),
                    NO_PUBLIC_CLOUD => version["clouds"]["public"]["multi_partner"] = json!("denied"),
                    _ => {}
                }
                versions.push(version);
            }
        }));
        let clock = Arc::new(LateClock::default());
        let provider = IdentityProvider::start(0, clock.clone(), Arc::new(SeededRandom::new(2))).await;
        let provider = provider.expect("the provider starts");
        let sign_in = (provider.settings().expect("settings"), Some(ADDRESS));
        let world = World::simulated(SimOptions { policy, sign_in, ..SimOptions::default() }).await;
        clock.follow(world.sim().clock.clone());
        Self { world, provider }
    }

    pub(crate) async fn send(&self, request: &Request) -> Answer {
        let event = request.event(self.world.now().seconds());
        let function = function_of(request.key).expect("a function");
        // A virtual clock would run ahead while the function waits for the provider's socket.
        let waits = request.key == NEW_SESSION;
        if waits {
            tokio::time::resume();
        }
        let answer = self.world.sim().invoke(function, &event, request.remaining).await;
        if waits {
            tokio::time::pause();
        }
        answer
    }

    /// The request again, if it works only once: with a new code, or a new session.
    pub(crate) async fn again(&self, base: &Base) -> Request {
        match base.request.key {
            NEW_SESSION => self.returned(base, "global_administrator").await,
            SIGN_OUT => {
                let browser = self.world.signed_in(&base.customer).await.expect("a session");
                let (_, value) = browser.cookie.split_once('=').expect("a value");
                base.request.clone().header("cookie", format!("{SESSION}={value}"))
            }
            _ => base.request.clone(),
        }
    }

    /// The return of a person who signed in to the customer.
    pub(crate) async fn returned(&self, base: &Base, person: &str) -> Request {
        let body = json!({"tenant_id": base.customer.tenant_id, "cloud": "public"});
        let began = self.send(&Request::new(SIGN_IN).own_page().json(&body)).await;
        let url = text(&began.expect(200)["authorize_url"]);
        let redirect = Redirect::parse(&self.provider.sign_in(&url, person).expect("a redirect"));
        let cookie = began.header("set-cookie").expect("a cookie").split(';').next().unwrap_or_default().to_owned();
        // Another session is replaced. The table has already deleted it.
        let cookies = format!("{cookie}; {SESSION}={}", "A".repeat(43));
        base.request.clone().json(&redirect.body("public")).header("cookie", cookies)
    }

    /// Sends a request at another time.
    pub(crate) async fn send_at(&self, at: Timestamp, request: &Request) -> Answer {
        let before = self.world.now();
        self.world.sim().clock.set(at);
        let answer = self.send(request).await;
        self.world.sim().clock.set(before);
        answer
    }

    pub(crate) async fn base(&self, key: &'static str) -> Base {
        self.base_in(key, "public").await
    }

    pub(crate) async fn base_in(&self, key: &'static str, cloud: &str) -> Base {
        let (partner, customer) = (self.world.partner_in(cloud, "US").await, self.world.customer_in(cloud, "US").await);
        let mut base = Base { request: Request::new(key), partner, customer };
        base.identify(self.world.operator_key());
        base.request.parameters.insert("partner_id", base.partner.partner_id.clone());
        base.request.parameters.insert("tenant_id", base.customer.tenant_id.clone());
        base.request.parameters.insert("file", "page.css".to_owned());
        let token = self.prepare(&mut base).await;
        self.fill(&mut base, &token).await;
        base.request = self.again(&base).await;
        let names: Vec<_> = base.request.parameters.keys().copied().collect();
        for name in names.into_iter().filter(|name| !key.contains(&format!("{{{name}}}"))) {
            base.request.parameters.remove(name);
        }
        base
    }

    /// Makes what the path names; the token of the invitation, if there is one.
    async fn prepare(&self, base: &mut Base) -> String {
        let key = base.request.key;
        let (mut token, parties) = (String::new(), (base.partner.clone(), base.customer.clone()));
        let (partner, customer) = &parties;
        let endpoint = if key.contains("{endpoint_id}") { Some(self.endpoint(base).await) } else { None };
        let mut name = |name, value: String| base.request.parameters.insert(name, value);
        if key.contains("{invitation_id}") {
            let (id, its_token) = self.invite(partner, customer).await;
            name("invitation_id", id);
            token = its_token;
        }
        if key.contains("{grant_id}") {
            let (id, token) = self.invite(partner, customer).await;
            self.world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.expect(200);
            name("grant_id", id.replace("inv_", "grt_"));
        }
        let names_both = key.contains("{tenant_id}") && key.contains("{partner_id}");
        if names_both && !is_import(key) || key.contains("/subscriptions") && key.contains("{partner_id}") {
            self.world.relate(partner, customer).await;
        }
        if key.contains("{subscription_id}") {
            let id = self.world.unique();
            self.world.send(&partner.register(&registration(&id, customer))).await.expect(201);
            name("subscription_id", id);
        }
        if key.contains("{key_id}") {
            let body = json!({"principal": {"kind": "operator"}, "roles": [], "name": "Old"});
            let issued = self.world.operator(Call::post("/v1/keys", &body)).await.expect(201);
            name("key_id", text(&issued["key_id"]));
        }
        if let Some(id) = endpoint {
            name("endpoint_id", id);
        }
        token
    }

    /// An invitation for four days.
    pub(crate) async fn invite(&self, partner: &Partner, customer: &Customer) -> (String, String) {
        let body = json!({
            "customer_tenant_id": customer.tenant_id, "delegated_admin": asking(&["directory_readers"], "P365D"),
            "expires_in_days": 4,
        });
        let call = partner.create(&body).idempotency_key(self.world.unique());
        link(&self.world.send(&call).await.expect(201))
    }

    /// An active endpoint of the caller.
    async fn endpoint(&self, base: &Base) -> String {
        let created = self.world.send(&base.owner_call("POST", "/endpoints").json(&self.endpoint_body())).await;
        let id = text(&created.expect(201)["endpoint"]["endpoint_id"]);
        let key = keys::endpoint(&base.owner(), &EndpointId::parse(&id).expect("an id"));
        self.set(&key, "endpoint_state", "active");
        id
    }

    pub(crate) fn endpoint_body(&self) -> Value {
        let name = self.world.unique();
        json!({"url": format!("https://hooks.example.com/{name}"), "description": "One"})
    }

    /// Sets a text in the table.
    pub(crate) fn set(&self, key: &Key, name: &str, value: &str) {
        self.set_value(key, name, &json!({"S": value}));
    }

    /// Sets the version of an item's format.
    pub(crate) fn set_version(&self, key: &Key, version: u64) {
        self.set_value(key, "v", &json!({"N": version.to_string()}));
    }

    fn set_value(&self, key: &Key, name: &str, value: &Value) {
        let update = json!({
            "TableName": TABLE, "Key": {"pk": {"S": key.pk}, "sk": {"S": key.sk}},
            "UpdateExpression": "SET #name = :value", "ExpressionAttributeNames": {"#name": name},
            "ExpressionAttributeValues": {":value": value},
        });
        self.world.sim().raw("UpdateItem", &update);
    }

    /// Deletes an item of the table.
    pub(crate) fn delete(&self, key: &Key) {
        let delete = json!({"TableName": TABLE, "Key": {"pk": {"S": key.pk}, "sk": {"S": key.sk}}});
        self.world.sim().raw("DeleteItem", &delete);
    }

    /// Adds headers and the body.
    async fn fill(&self, base: &mut Base, token: &str) {
        let unique = self.world.unique();
        let asked = asking(&["directory_readers"], "P365D");
        let invitation = json!({"customer_tenant_id": base.customer.tenant_id, "delegated_admin": asked});
        let subscription = registration(&unique, &base.customer);
        let tenant =
            |name| json!({"tenant_id": self.world.tenant_id(), "name": name, "cloud": "public", "market": "US"});
        let accepted_by = json!({"name": "Avery Howard", "email": "avery@contoso.example"});
        let key = base.request.key;
        let (method, path) = key.split_once(' ').expect("a method and a path");
        let last = path.rsplit('/').next().unwrap_or_default();
        let body = match (method, last) {
            ("PUT", _) if is_import(key) => json!({"since": "2020-02-29T12:00:00Z"}),
            ("GET" | "HEAD" | "PUT", _) => return,
            _ if path.starts_with("/v1/webhooks/") && last == "invitations" => {
                json!({"type": "invitation.create", "data": invitation})
            }
            _ if path.starts_with("/v1/webhooks/") => json!({"type": "subscription.register", "data": subscription}),
            (_, "invitations") => invitation,
            (_, "subscriptions") => subscription,
            (_, "batch") => json!({"subscriptions": [subscription]}),
            (_, "accept") if path.starts_with("/v1/invitations/") => acceptance(token, &json!("as_requested")),
            (_, "accept") => json!({"version": 1, "accepted_by": accepted_by, "delegated_admin": "as_requested"}),
            (_, "preview" | "decline") if path.starts_with("/v1/invitations/") => json!({"token": token}),
            ("POST", "sign-in") => json!({"tenant_id": base.customer.tenant_id, "cloud": "public"}),
            ("POST", "customers") => tenant("Contoso"),
            ("POST", "partners") => tenant("Northwind"),
            (_, "keys") => json!({"principal": {"kind": "operator"}, "roles": [], "name": "New"}),
            ("PATCH", "{grant_id}") => json!({"ends_at": self.world.now().plus_days(100)}),
            ("PATCH", "{endpoint_id}") => json!({"description": "Two"}),
            ("PATCH", _) => json!({"name": "New"}),
            (_, "renew") => json!({"delegated_admin": asked}),
            (_, "rotate") => json!({"grace_hours": 1}),
            (_, "endpoints") => self.endpoint_body(),
            (_, "resend") => json!({"event_id": self.message(base).await}),
            _ => json!({}),
        };
        if last == "resume" {
            self.world.suspend(&base.partner).await;
        }
        let mut request = base.request.clone().json(&body);
        if key.starts_with("POST /v1/webhooks/") {
            request.signing_secret = Some(base.partner.signing_secret.clone());
            request = request.header("webhook-id", unique);
        } else if ["invitations", "keys", "endpoints", "subscriptions", "rotate"].contains(&last) {
            request = request.header("idempotency-key", unique);
        }
        base.request = request;
    }

    /// A message that was sent to the endpoint in the path.
    async fn message(&self, base: &Base) -> String {
        let path = format!("/endpoints/{}/test", base.request.parameters["endpoint_id"]);
        let queued = self.world.send(&base.owner_call("POST", &path)).await.expect(202);
        text(&queued["delivery"]["event_id"])
    }
}

/// Whether the route imports a relationship.
pub(crate) fn is_import(key: &str) -> bool {
    key == "PUT /v1/partners/{partner_id}/customers/{tenant_id}"
}

fn make_strict(version: &mut Value) {
    version["roles"]["webhook"] = json!("billing_admin");
    version["roles"]["customer"] = json!("billing_admin");
    let readers = version["roles"]["actions"]["read"].as_array_mut().expect("roles");
    readers.retain(|role| role != "billing_admin");
    version["clouds"]["public"]["accept_proof"] = json!({"relationship": "customer", "roles": "customer"});
}

impl Base {
    /// Whether the route is the customer's.
    pub(crate) fn is_customers(&self) -> bool {
        let key = self.request.key;
        key.contains(" /v1/customers/{tenant_id}/") || key == "GET /v1/customers/{tenant_id}"
    }

    fn identify(&mut self, operator_key: &str) {
        let key = self.request.key;
        let function = function_of(key).expect("a function").name;
        let path = key.split(' ').nth(1).unwrap_or_default();
        let operators = ["/v1/customers", "/v1/partners", "/v1/keys", "/v1/keys/{key_id}", "/v1/events"];
        let is_operators = operators.contains(&path);
        let access_key = match function {
            "administer" => operator_key,
            "web" => return,
            "sign-in" => {
                self.request = self.request.clone().own_page();
                return;
            }
            _ if is_operators => operator_key,
            _ if path.starts_with("/v1/webhooks/") || path.starts_with("/v1/invitations/") => return,
            _ if self.is_customers() => &self.customer.key,
            _ => &self.partner.key,
        };
        self.request = self.request.clone().access_key(access_key);
    }

    pub(crate) fn owner(&self) -> Owner {
        if self.is_customers() {
            Owner::Customer(TenantId::parse(&self.customer.tenant_id).expect("an id"))
        } else {
            Owner::Partner(PartnerId::parse(&self.partner.partner_id).expect("an id"))
        }
    }

    /// A call by the owner of an endpoint.
    pub(crate) fn owner_call(&self, method: &str, path: &str) -> Call {
        if self.is_customers() { self.customer.call(method, path) } else { self.partner.call(method, path) }
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
