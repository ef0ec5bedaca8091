//! All commands, each with the setup that it needs.

use std::future::Future;
use std::pin::Pin;

use serde_json::{Value, json};
use tests::parties::{accept_by_link, acceptance, link, registration};
use tests::{Call, Customer, Partner, SimOptions, World};

/// A system with one partner, in which commands are prepared.
pub struct Stage {
    pub world: World,
    pub partner: Partner,
}

/// What happens when the same request is sent again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Again {
    /// The response shows the effect of the first request, with this status.
    Same(u16),
    /// It takes effect again, because each request is a separate operation.
    Anew,
    /// It is rejected with this status and code.
    Refused(u16, &'static str),
}

type Ready<'a> = Pin<Box<dyn Future<Output = Call> + 'a>>;

#[derive(Clone, Copy)]
pub struct Command {
    pub name: &'static str,
    /// Creates everything that the command needs, and returns the request.
    pub ready: for<'a> fn(&'a Stage) -> Ready<'a>,
    /// Status of the successful response.
    pub status: u16,
    /// Type of the event that it stores.
    pub event: &'static str,
    pub again: Again,
}

macro_rules! commands {
    ($($name:literal, $status:literal, $event:literal, $again:expr, $ready:expr;)*) => {
        pub const COMMANDS: &[Command] = &[$(Command {
            name: $name, status: $status, event: $event, again: $again,
            ready: |stage| Box::pin(async move { let ready: Call = $ready(stage).await; ready }),
        },)*];
    };
}

commands! {
    "create", 201, "invitation.created", Again::Same(201), create;
    "create by webhook", 201, "invitation.created", Again::Same(201), create_by_webhook;
    "create, kind grant", 201, "invitation.created", Again::Same(201), create_grant;
    "accept", 200, "invitation.accepted", Again::Same(200), accept;
    "accept with a grant", 200, "invitation.accepted", Again::Same(200), accept_with_grant;
    "accept, kind grant", 200, "invitation.accepted", Again::Same(200), accept_grant;
    "accept by key", 200, "invitation.accepted", Again::Same(200), accept_by_key;
    "decline", 200, "invitation.declined", Again::Same(200), decline;
    "decline by key", 200, "invitation.declined", Again::Same(200), decline_by_key;
    "cancel", 200, "invitation.cancelled", Again::Same(200), cancel;
    "renew", 200, "invitation.renewed", Again::Anew, renew;
    "register", 201, "subscription.registered", Again::Same(200), register;
    "register by webhook", 201, "subscription.registered", Again::Same(200), register_by_webhook;
    "batch with a repeat", 200, "subscription.registered", Again::Same(200), batch_with_repeat;
    "batch with a refused one", 200, "subscription.registered", Again::Same(200), batch_with_refused;
    "import", 201, "relationship.imported", Again::Same(200), import;
    "import with an open invitation", 201, "relationship.imported", Again::Same(200), import_with_invitation;
    "erase", 200, "invitation.erased", Again::Same(200), erase;
    "erase who accepted", 200, "invitation.erased", Again::Same(200), erase_accepted;
    "end by partner", 200, "relationship.ended", Again::Same(200), end_by_partner;
    "end by customer", 200, "relationship.ended", Again::Same(200), end_by_customer;
    "narrow grant by partner", 200, "grant.narrowed", Again::Same(200), narrow_grant_by_partner;
    "narrow grant by customer", 200, "grant.narrowed", Again::Same(200), narrow_grant_by_customer;
    "end grant by partner", 200, "grant.ended", Again::Same(200), end_grant_by_partner;
    "end grant by customer", 200, "grant.ended", Again::Same(200), end_grant_by_customer;
    "register customer", 201, "customer.registered", Again::Same(200), register_customer;
    "enrol", 201, "partner.enrolled", Again::Same(200), enrol;
    "enrol a known tenant", 201, "partner.enrolled", Again::Same(200), enrol_known;
    "rename customer", 200, "customer.updated", Again::Same(200), rename_customer;
    "rename partner", 200, "partner.updated", Again::Same(200), rename_partner;
    "suspend", 200, "partner.suspended", Again::Same(200), suspend;
    "resume", 200, "partner.resumed", Again::Same(200), resume;
    "rotate", 200, "secret.rotated", Again::Refused(409, "rotation_in_progress"), rotate;
    "issue key", 201, "key.issued", Again::Same(201), issue_key;
    "revoke key", 200, "key.revoked", Again::Same(200), revoke_key;
    "create endpoint", 201, "endpoint.created", Again::Same(201), create_endpoint;
    "update endpoint", 200, "endpoint.updated", Again::Same(200), update_endpoint;
    "move endpoint", 200, "endpoint.updated", Again::Same(200), move_endpoint;
    "rotate endpoint", 200, "endpoint.updated", Again::Refused(409, "rotation_in_progress"), rotate_endpoint;
    "delete endpoint", 200, "endpoint.deleted", Again::Same(200), delete_endpoint;
}

/// A typical request by a partner: four roles for one year.
pub fn four_roles() -> Value {
    let roles =
        ["directory_readers", "helpdesk_administrator", "license_administrator", "service_support_administrator"];
    json!({"roles": roles, "duration": "P365D"})
}

impl Stage {
    /// Creates a new system with one partner.
    pub async fn new(options: SimOptions) -> Self {
        let world = World::simulated(options).await;
        let partner = world.partner().await;
        Self { world, partner }
    }

    /// Registers a customer without a key.
    pub async fn customer(&self) -> Customer {
        let tenant_id = self.world.tenant_id();
        let body = json!({"tenant_id": tenant_id, "name": "Contoso Ltd", "cloud": "public", "market": "US"});
        self.world.operator(Call::post("/v1/customers", &body)).await.expect(201);
        Customer { tenant_id, key: String::new() }
    }

    /// Issues a key to the customer, and sends one request to `path` so that its function has cached the key.
    async fn with_key(&self, customer: Customer, method: &str, path: &str) -> Customer {
        let key = self.world.issue_key(json!({"kind": "customer", "id": customer.tenant_id}), &["global_admin"]).await;
        let customer = Customer { key, ..customer };
        // An acceptance needs the version that the customer was shown.
        let body = if path.ends_with("/accept") { json!({"version": 1}) } else { json!({}) };
        self.world.send(&customer.call(method, path).json(&body)).await.expect(404);
        customer
    }

    /// Enrolls a second partner and returns its path. For commands that change a partner permanently.
    async fn other_partner(&self) -> String {
        let body = self.organisation("Fabrikam Inc");
        let enrolled = self.world.operator(Call::post("/v1/partners", &body)).await.expect(201);
        format!("/v1/partners/{}", enrolled["partner"]["partner_id"].as_str().expect("`partner_id` is a string"))
    }

    fn organisation(&self, name: &str) -> Value {
        json!({"tenant_id": self.world.tenant_id(), "name": name, "cloud": "public", "market": "US"})
    }

    /// Creates an open invitation. Returns its id and token.
    pub async fn invite(&self, customer: &Customer, admin: Value) -> (String, String) {
        link(&self.world.invite(&self.partner, customer, admin).await.expect(201))
    }

    /// Creates a customer with an active relationship, and with a grant unless `admin` is null.
    ///
    /// Returns the customer and the id of the grant.
    pub async fn related(&self, admin: Value) -> (Customer, String) {
        let customer = self.customer().await;
        let (id, token) = self.invite(&customer, admin.clone()).await;
        let word = if admin.is_null() { Value::Null } else { json!("as_requested") };
        self.world.send(&accept_by_link(&id, &token, &word)).await.expect(200);
        (customer, id.replace("inv_", "grt_"))
    }

    async fn operator(&self, call: Call) -> Call {
        call.key(self.world.operator_key())
    }
}

fn invitation_of(customer: &Customer, admin: Value) -> Value {
    let message = "Hello! We would like to manage your licenses together with your current partner. \
                   Please review the roles that we request, and call us if you have any questions.";
    json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": admin, "message": message})
}

async fn create(stage: &Stage) -> Call {
    let customer = stage.customer().await;
    stage.partner.create(&invitation_of(&customer, four_roles())).idempotency_key(stage.world.unique())
}

async fn create_by_webhook(stage: &Stage) -> Call {
    let customer = stage.customer().await;
    let now = stage.world.now();
    let body = json!({"type": "invitation.create", "timestamp": now.to_string(), "data": invitation_of(&customer, Value::Null)});
    let id = format!("msg_{}", stage.world.unique());
    stage.partner.webhook("/invitations", &id, now.seconds(), body.to_string().as_bytes())
}

async fn create_grant(stage: &Stage) -> Call {
    let (customer, _) = stage.related(Value::Null).await;
    stage.partner.create(&invitation_of(&customer, four_roles())).idempotency_key(stage.world.unique())
}

async fn accept(stage: &Stage) -> Call {
    let (id, token) = stage.invite(&stage.customer().await, Value::Null).await;
    accept_by_link(&id, &token, &Value::Null)
}

async fn accept_with_grant(stage: &Stage) -> Call {
    let (id, token) = stage.invite(&stage.customer().await, four_roles()).await;
    accept_by_link(&id, &token, &json!("as_requested"))
}

async fn accept_grant(stage: &Stage) -> Call {
    let (customer, _) = stage.related(Value::Null).await;
    let (id, token) = stage.invite(&customer, four_roles()).await;
    accept_by_link(&id, &token, &json!({"roles": ["directory_readers"], "duration": "P30D"}))
}

async fn accept_by_key(stage: &Stage) -> Call {
    let customer = stage.with_key(stage.customer().await, "POST", "/invitations/none/accept").await;
    let (id, _) = stage.invite(&customer, four_roles()).await;
    let mut body = acceptance("", &json!("refused"));
    let members = body.as_object_mut().expect("the body is an object");
    members.remove("token");
    members.insert("version".to_owned(), json!(1));
    members["accepted_by"].as_object_mut().expect("`accepted_by` is an object").remove("role");
    customer.call("POST", &format!("/invitations/{id}/accept")).json(&body)
}

async fn decline(stage: &Stage) -> Call {
    let (id, token) = stage.invite(&stage.customer().await, Value::Null).await;
    Call::post(format!("/v1/invitations/{id}/decline"), &json!({"token": token, "reason": "Not now."}))
}

async fn decline_by_key(stage: &Stage) -> Call {
    let customer = stage.with_key(stage.customer().await, "POST", "/invitations/none/decline").await;
    let (id, _) = stage.invite(&customer, Value::Null).await;
    customer.call("POST", &format!("/invitations/{id}/decline"))
}

async fn cancel(stage: &Stage) -> Call {
    let (id, _) = stage.invite(&stage.customer().await, Value::Null).await;
    stage.partner.call("POST", &format!("/invitations/{id}/cancel"))
}

async fn renew(stage: &Stage) -> Call {
    let (id, _) = stage.invite(&stage.customer().await, four_roles()).await;
    stage.partner.call("POST", &format!("/invitations/{id}/renew")).json(&json!({"expires_in_days": 10}))
}

async fn register(stage: &Stage) -> Call {
    let (customer, _) = stage.related(Value::Null).await;
    let mut body = registration(&format!("sub-{}", stage.world.unique()), &customer);
    body["friendly_name"] = json!("Production");
    stage.partner.register(&body)
}

async fn register_by_webhook(stage: &Stage) -> Call {
    let (customer, _) = stage.related(Value::Null).await;
    let now = stage.world.now();
    let data = registration(&format!("sub-{}", stage.world.unique()), &customer);
    let body = json!({"type": "subscription.register", "timestamp": now.to_string(), "data": data});
    let id = format!("msg_{}", stage.world.unique());
    stage.partner.webhook("/subscriptions", &id, now.seconds(), body.to_string().as_bytes())
}

/// The same subscription twice: the second one is a replay.
async fn batch_with_repeat(stage: &Stage) -> Call {
    let (customer, _) = stage.related(Value::Null).await;
    let body = registration(&format!("sub-{}", stage.world.unique()), &customer);
    stage.partner.register_batch(&[body.clone(), body])
}

/// The first one has an id that is in use, so that the rest is sent again.
async fn batch_with_refused(stage: &Stage) -> Call {
    let (customer, _) = stage.related(Value::Null).await;
    let body = |what: &str| registration(&format!("{what}-{}", stage.world.unique()), &customer);
    let mut used = body("used");
    stage.world.send(&stage.partner.register(&used)).await.expect(201);
    used["quantity"] = json!(2);
    stage.partner.register_batch(&[used, body("new")])
}

async fn import(stage: &Stage) -> Call {
    let customer = stage.customer().await;
    let body = json!({"since": "2020-02-29T12:00:00Z", "external_reference": "customer 4711"});
    stage.world.import_with(&stage.partner, &customer, &body)
}

async fn import_with_invitation(stage: &Stage) -> Call {
    let customer = stage.customer().await;
    stage.invite(&customer, four_roles()).await;
    stage.world.import(&stage.partner, &customer)
}

async fn erase(stage: &Stage) -> Call {
    let created = stage.world.send(&create(stage).await).await.expect(201);
    stage.world.erase(&link(&created).0)
}

async fn erase_accepted(stage: &Stage) -> Call {
    let (_, grant) = stage.related(four_roles()).await;
    stage.world.erase(&grant.replace("grt_", "inv_"))
}

/// With an open invitation, which is cancelled.
async fn end_by_partner(stage: &Stage) -> Call {
    let (customer, _) = stage.related(four_roles()).await;
    stage.invite(&customer, four_roles()).await;
    stage.partner.call("DELETE", &format!("/customers/{}", customer.tenant_id))
}

async fn end_by_customer(stage: &Stage) -> Call {
    let (customer, _) = stage.related(four_roles()).await;
    let customer = stage.with_key(customer, "DELETE", "/partners/none").await;
    customer.call("DELETE", &format!("/partners/{}", stage.partner.partner_id))
}

/// One of the four roles, for a shorter time.
fn narrower(stage: &Stage) -> Value {
    json!({"roles": ["directory_readers"], "ends_at": stage.world.now().plus_days(20)})
}

async fn narrow_grant_by_partner(stage: &Stage) -> Call {
    let (_, grant) = stage.related(four_roles()).await;
    stage.partner.call("PATCH", &format!("/grants/{grant}")).json(&narrower(stage))
}

async fn narrow_grant_by_customer(stage: &Stage) -> Call {
    let (customer, grant) = stage.related(four_roles()).await;
    let customer = stage.with_key(customer, "DELETE", "/grants/none").await;
    customer.call("PATCH", &format!("/grants/{grant}")).json(&narrower(stage))
}

async fn end_grant_by_partner(stage: &Stage) -> Call {
    let (_, grant) = stage.related(four_roles()).await;
    stage.partner.call("DELETE", &format!("/grants/{grant}"))
}

async fn end_grant_by_customer(stage: &Stage) -> Call {
    let (customer, grant) = stage.related(four_roles()).await;
    stage.with_key(customer, "DELETE", "/grants/none").await.call("DELETE", &format!("/grants/{grant}"))
}

async fn register_customer(stage: &Stage) -> Call {
    let mut body = stage.organisation("Contoso Ltd");
    body["domain"] = json!("contoso.example");
    stage.operator(Call::post("/v1/customers", &body)).await
}

async fn enrol(stage: &Stage) -> Call {
    stage.operator(Call::post("/v1/partners", &stage.organisation("Fabrikam Inc"))).await
}

async fn enrol_known(stage: &Stage) -> Call {
    let customer = stage.customer().await;
    let body = json!({"tenant_id": customer.tenant_id, "name": "Contoso Sales", "cloud": "public", "market": "US"});
    stage.operator(Call::post("/v1/partners", &body)).await
}

async fn rename_customer(stage: &Stage) -> Call {
    let path = format!("/v1/customers/{}", stage.customer().await.tenant_id);
    stage.operator(Call::new("PATCH", path).json(&json!({"name": "Contoso Group"}))).await
}

async fn rename_partner(stage: &Stage) -> Call {
    let path = stage.other_partner().await;
    stage.operator(Call::new("PATCH", path).json(&json!({"name": "Fabrikam Group"}))).await
}

async fn suspend(stage: &Stage) -> Call {
    let path = stage.other_partner().await;
    stage.operator(Call::new("POST", format!("{path}/suspend"))).await
}

async fn resume(stage: &Stage) -> Call {
    let path = stage.other_partner().await;
    stage.world.operator(Call::new("POST", format!("{path}/suspend"))).await.expect(200);
    stage.operator(Call::new("POST", format!("{path}/resume"))).await
}

async fn rotate(stage: &Stage) -> Call {
    let path = stage.other_partner().await;
    stage.operator(Call::post(format!("{path}/signing-secret/rotate"), &json!({"grace_hours": 24}))).await
}

async fn issue_key(stage: &Stage) -> Call {
    let principal = json!({"kind": "partner", "id": stage.partner.partner_id});
    let body = json!({"principal": principal, "roles": ["sales_agent"], "name": "a key"});
    stage.operator(Call::post("/v1/keys", &body).idempotency_key(stage.world.unique())).await
}

async fn revoke_key(stage: &Stage) -> Call {
    let call = issue_key(stage).await;
    let issued = stage.world.send(&call).await.expect(201);
    stage.operator(Call::delete(format!("/v1/keys/{}", issued["key_id"].as_str().expect("a string")))).await
}

/// Creates a partner without endpoints, and sends one request so that the function has cached its key.
async fn endpoint_owner(stage: &Stage) -> Partner {
    let partner = stage.world.partner().await;
    stage.world.send(&partner.call("DELETE", "/endpoints/none")).await.expect(404);
    partner
}

fn endpoint_of(stage: &Stage, partner: &Partner) -> Call {
    let body = json!({"url": "https://hooks.example.com/in", "event_types": ["invitation.accepted"]});
    partner.call("POST", "/endpoints").json(&body).idempotency_key(stage.world.unique())
}

async fn create_endpoint(stage: &Stage) -> Call {
    endpoint_of(stage, &endpoint_owner(stage).await)
}

/// A request to an endpoint that exists.
async fn to_endpoint(stage: &Stage, method: &str, rest: &str) -> Call {
    let partner = endpoint_owner(stage).await;
    let created = stage.world.send(&endpoint_of(stage, &partner)).await.expect(201);
    let id = created["endpoint"]["endpoint_id"].as_str().expect("`endpoint_id` is a string");
    partner.call(method, &format!("/endpoints/{id}{rest}"))
}

async fn update_endpoint(stage: &Stage) -> Call {
    to_endpoint(stage, "PATCH", "").await.json(&json!({"description": "CRM", "event_types": null}))
}

async fn move_endpoint(stage: &Stage) -> Call {
    to_endpoint(stage, "PATCH", "").await.json(&json!({"url": "https://hooks.example.com/other"}))
}

async fn rotate_endpoint(stage: &Stage) -> Call {
    to_endpoint(stage, "POST", "/rotate").await.json(&json!({"grace_hours": 24}))
}

async fn delete_endpoint(stage: &Stage) -> Call {
    to_endpoint(stage, "DELETE", "").await
}
