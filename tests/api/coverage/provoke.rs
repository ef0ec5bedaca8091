//! How each code is provoked.

use std::time::Duration;

use domain::{InvitationId, KeyId, TenantId, Timestamp};
use platform::http_api::{Code, MAX_BODY};
use platform::secrets::AccessKeyText;
use platform::store::keys;
use serde_json::{Value, json};
use tests::Answer;
use tests::faults::{Fault, TRANSACT};

use super::request::Request;
use super::scene::{Base, NO_PUBLIC_CLOUD, STRICT, Scene, is_import};

/// Longer than functions keep what they read.
const FORGOTTEN_MS: i64 = 31_000;
/// Enough time to begin, but not for a write.
const SHORT: Duration = Duration::from_millis(600);
/// An hour more than an invitation of the scene is valid.
const EXPIRED_MS: i64 = 97 * 3_600_000;

impl Scene {
    /// The response that should have the code.
    pub(crate) async fn provoke(&self, code: Code, base: &Base) -> Answer {
        let base = &Base { request: self.again(base).await, ..base.clone() };
        if let Some(request) = changed(&base.request, code) {
            return self.send(&request).await;
        }
        if let Some(answer) = self.fail(code, &base.request).await {
            return answer;
        }
        self.refuse(code, base).await
    }

    /// A code that the table causes.
    async fn fail(&self, code: Code, request: &Request) -> Option<Answer> {
        let sim = self.world.sim();
        let any = |name| Some(Fault::Error(name));
        match code {
            Code::Internal => sim.faults.plan(move |_| any("ValidationException")),
            Code::Throttled => sim.faults.plan(move |_| any("ThrottlingException")),
            // Some routes count the request first, with a single write. It has no other item that can conflict.
            Code::Contention => sim.faults.plan(|seen| {
                let writes = seen.request["TransactItems"].as_array().map_or(0, Vec::len);
                (seen.operation == TRANSACT && writes > 1).then(|| conflict_at(1))
            }),
            Code::IdempotencyInProgress => sim.faults.always(TRANSACT, conflict_at(0)),
            Code::OutcomeUnknown => sim.faults.always(TRANSACT, Fault::LostBefore),
            Code::Deadline if only_reads(request.key) => return Some(self.meet_newer(request).await),
            Code::Deadline => return Some(self.send(&Request { remaining: SHORT, ..request.clone() }).await),
            _ => return None,
        }
        sim.clock.advance_millis(FORGOTTEN_MS);
        let answer = self.send(request).await;
        sim.faults.none();
        Some(answer)
    }

    /// Sends a request that reads an item of newer code: the caller's key, or without a key the invitation.
    async fn meet_newer(&self, request: &Request) -> Answer {
        let mut request = request.clone();
        let key = request.headers.get("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let item = if let Some(key) = key.map(str::to_owned) {
            // The operator's first key is not in the table.
            let is_first = key == self.world.operator_key();
            let key = if is_first { self.world.issue_key(json!({"kind": "operator"}), &[]).await } else { key };
            request = request.access_key(&key);
            keys::access_key(&KeyId::from_hash(&AccessKeyText::parse(&key).expect("a key").hash()))
        } else {
            keys::invitation(&InvitationId::parse(&request.parameters["invitation_id"]).expect("an id"))
        };
        self.set_version(&item, 2);
        self.world.sim().clock.advance_millis(FORGOTTEN_MS);
        let answer = self.send(&request).await;
        self.set_version(&item, 1);
        answer
    }

    /// A code that the state of the parties causes.
    async fn refuse(&self, code: Code, base: &Base) -> Answer {
        let key = base.request.key;
        match code {
            Code::NotFound => self.send(&unknown(&base.request)).await,
            Code::RoleNotPermitted => self.without_role(base).await,
            Code::ApproverNotPermitted if !base.is_customers() => {
                let request = base.request.clone().edit(|body| body["accepted_by"]["role"] = json!("sales_agent"));
                self.send(&request).await
            }
            Code::ApproverNotPermitted => self.send_at(time(STRICT), &base.request).await,
            Code::AcceptProofRequired => {
                let request = base.request.clone().edit(|body| body["accepted_by"]["role"] = json!("billing_admin"));
                self.send_at(time(STRICT), &request).await
            }
            Code::CloudNotSupported => self.send_at(time(NO_PUBLIC_CLOUD), &base.request).await,
            Code::InvitationChanged => self.send(&base.request.clone().member("version", 2)).await,
            Code::SubscriptionImmutable => self.send(&base.request).await,
            Code::SignInUnavailable => self.send_at(time(NO_PUBLIC_CLOUD), &base.request).await,
            Code::SignInExpired => self.send(&base.request.clone().member("state", "other")).await,
            Code::SignInFailed => self.send(&base.request.clone().member("code", "other")).await,
            Code::NotAnApprover => self.send(&self.returned(base, "user_administrator").await).await,
            Code::ApproverNotHome => self.send(&self.returned(base, "guest_administrator").await).await,
            Code::ProviderUnavailable => {
                self.provider.distort(|_, answer| answer.status = 500);
                let answer = self.send(&base.request).await;
                self.provider.behave();
                answer
            }
            Code::DelegatedAdminRequired => {
                let base = self.base_in(key, "us_gov").await;
                let refused = if key.ends_with("/accept") { json!("refused") } else { Value::Null };
                self.send(&base.request.clone().member("delegated_admin", refused)).await
            }
            _ => self.refuse_in(code, &self.base(key).await).await,
        }
    }

    /// As [`Self::refuse`], with parties that can be changed for good.
    async fn refuse_in(&self, code: Code, base: &Base) -> Answer {
        let request = base.request.clone();
        match code {
            Code::PartnerNotActive => self.world.suspend(&base.partner).await,
            Code::CloudMismatch | Code::MarketMismatch if request.key == "POST /v1/partners" => {
                let (cloud, market) = if code == Code::CloudMismatch { ("us_gov", "US") } else { ("public", "FR") };
                let customer = self.world.customer_in(cloud, market).await;
                return self.send(&request.member("tenant_id", customer.tenant_id)).await;
            }
            Code::CloudMismatch => self.set_tenant(base, "cloud", "us_gov"),
            Code::MarketMismatch => self.set_tenant(base, "market", "FR"),
            Code::CustomerUnknown => self.delete(&tenant_key(base)),
            Code::CustomerIsCspTenant => self.world.enrol(&base.customer, "public", "US").await,
            Code::InvitationExpired => return self.send_at(self.world.now().plus_millis(EXPIRED_MS), &request).await,
            Code::InvitationPending | Code::RelationshipActive => return self.already_invited(code, base).await,
            Code::RateLimited if request.key.contains("/endpoints") => return self.exceed_endpoint_limit(base).await,
            Code::RateLimited => self.invite_often(base).await,
            Code::InvalidTransition => self.make_final(base).await,
            Code::RotationInProgress => {
                self.send(&request).await.expect(200);
                return self.send(&Request { omitted: Some("idempotency-key"), ..request }).await;
            }
            _ => return self.send_other(code, base).await,
        }
        self.send(&request).await
    }

    /// A code that the content of the request causes, perhaps together with an earlier one.
    async fn send_other(&self, code: Code, base: &Base) -> Answer {
        let request = base.request.clone();
        let other = match code {
            Code::IdempotencyKeyReused => {
                let first = self.send(&request).await;
                assert!((200..202).contains(&first.status), "{} is done first", request.key);
                if request.key.ends_with("/rotate") {
                    return self.send(&request.member("grace_hours", 2)).await;
                }
                let (name, text) = match request.key.rsplit('/').next() {
                    Some("keys") => ("name", "Other"),
                    Some("endpoints") => ("description", "Other"),
                    _ => ("message", "Other"),
                };
                request.member(name, text)
            }
            Code::CustomerInUse => {
                if request.parameters.contains_key("tenant_id") {
                    self.world.enrol(&base.customer, "public", "US").await;
                } else {
                    self.world.relate(&base.partner, &base.customer).await;
                }
                request.member("market", "FR")
            }
            Code::SelfRelationship if is_import(request.key) => {
                let mut request = request;
                request.parameters.insert("tenant_id", base.partner.tenant_id.clone());
                request
            }
            Code::SelfRelationship => request.member("customer_tenant_id", base.partner.tenant_id.as_str()),
            Code::RolesExceedRequest => {
                let roles = ["directory_readers", "global_reader"];
                request.member("delegated_admin", json!({"roles": roles, "duration": "P365D"}))
            }
            Code::TenantExists | Code::PartnerExists => {
                self.send(&request).await.expect(201);
                request.member("name", "Other")
            }
            Code::PrincipalUnknown => {
                let principal = json!({"kind": "partner", "id": format!("ptr_{}", "a".repeat(26))});
                request.member("principal", principal).member("roles", json!(["sales_agent"]))
            }
            Code::NoActiveRelationship => request.member("customer_tenant_id", self.world.tenant_id()),
            Code::GrantNotNarrower => request.member("roles", json!(["directory_readers", "global_reader"])),
            Code::PartnerOfRecordMismatch => request.member("partner_of_record", "ptr_other"),
            Code::SubscriptionExists => {
                self.send(&request).await.expect(201);
                request.member("quantity", 2)
            }
            Code::EndpointUrlForbidden => request.member("url", "http://hooks.example.com/"),
            Code::EndpointExists => {
                let body = self.endpoint_body();
                self.world.send(&base.owner_call("POST", "/endpoints").json(&body)).await.expect(201);
                request.member("url", body["url"].clone())
            }
            Code::EndpointLimit => {
                for _ in 0..10 {
                    let body = self.endpoint_body();
                    self.world.send(&base.owner_call("POST", "/endpoints").json(&body)).await.expect(201);
                }
                request
            }
            _ => request,
        };
        self.send(&other).await
    }

    /// A key without the right.
    async fn without_role(&self, base: &Base) -> Answer {
        let request = base.request.clone();
        let is_operators =
            request.headers.get("authorization").is_some_and(|it| it.ends_with(self.world.operator_key()));
        if is_operators {
            return self.send(&request.access_key(&base.partner.key)).await;
        }
        if request.signing_secret.is_some() {
            return self.send_at(time(STRICT), &request).await;
        }
        if request.key.starts_with("GET ") && !base.is_customers() {
            let key = self.world.further_key(&base.partner, &["billing_admin"]).await.key;
            return self.send_at(time(STRICT), &request.access_key(&key)).await;
        }
        if !base.is_customers() {
            let key = self.world.further_key(&base.partner, &["billing_admin"]).await.key;
            return self.send(&request.access_key(&key)).await;
        }
        self.send(&request.access_key(self.world.operator_key())).await
    }

    fn set_tenant(&self, base: &Base, name: &str, value: &str) {
        self.set(&tenant_key(base), name, value);
    }

    /// Another invitation for the same customer is in the way: open or accepted.
    async fn already_invited(&self, code: Code, base: &Base) -> Answer {
        let before = self.world.now();
        if base.request.key.ends_with("/renew") {
            self.world.sim().clock.advance_millis(EXPIRED_MS);
        }
        if code == Code::RelationshipActive {
            self.world.relate(&base.partner, &base.customer).await;
        } else {
            self.world.open(&base.partner, &base.customer, Value::Null).await;
        }
        // In an active relationship, an invitation that asks for roles is of another kind.
        let is_creation = base.request.key.ends_with("/invitations");
        let request = base.request.clone();
        let request = if is_creation { request.member("delegated_admin", Value::Null) } else { request };
        let answer = self.send(&request).await;
        self.world.sim().clock.set(before);
        answer
    }

    /// Uses up the day's invitations, or its renewals.
    async fn invite_often(&self, base: &Base) {
        if base.request.key.ends_with("/renew") {
            for _ in 0..20 {
                self.send(&base.request).await.expect(200);
            }
            return;
        }
        for _ in 0..5 {
            let (id, _) = self.world.open(&base.partner, &base.customer, Value::Null).await;
            self.world.send(&base.partner.cancel(&id)).await.expect(200);
        }
    }

    /// Uses up the challenges of an hour or the resends of a minute, and sends the request with one more.
    async fn exceed_endpoint_limit(&self, base: &Base) -> Answer {
        let request = base.request.clone();
        if request.key.ends_with("/resend") {
            for _ in 0..10 {
                self.send(&request).await.expect(202);
            }
            return self.send(&request).await;
        }
        let url = "https://hooks.example.com/limit";
        let body = json!({"url": url});
        let created = self.world.send(&base.owner_call("POST", "/endpoints").json(&body)).await.expect(201);
        let test = format!("/endpoints/{}/test", super::scene::text(&created["endpoint"]["endpoint_id"]));
        while self.world.send(&base.owner_call("POST", &test)).await.status == 202 {}
        let is_change = request.key.starts_with("PATCH ");
        self.send(&if is_change { request.member("url", format!("{url}/other")) } else { request }).await
    }

    /// Answers the invitation, or disables the endpoint, so that the request comes too late.
    async fn make_final(&self, base: &Base) {
        let (key, parameters) = (base.request.key, &base.request.parameters);
        if is_import(key) {
            self.world.relate(&base.partner, &base.customer).await;
            self.world.send(&base.customer.end(&base.partner)).await.expect(200);
            return;
        }
        if let Some(endpoint) = parameters.get("endpoint_id") {
            let path = format!("/endpoints/{endpoint}");
            let patch = base.owner_call("PATCH", &path).json(&json!({"state": "disabled"}));
            self.world.send(&patch).await.expect(200);
            return;
        }
        if let Some(grant) = parameters.get("grant_id") {
            self.world.send(&base.owner_call("DELETE", &format!("/grants/{grant}"))).await.expect(200);
            return;
        }
        let id = &parameters["invitation_id"];
        let decision = if key.ends_with("/decline") {
            base.customer.accept(id, &json!("as_requested"))
        } else {
            base.customer.decline(id)
        };
        self.world.send(&decision).await.expect(200);
    }
}

/// Whether a route that uses the table only reads it.
fn only_reads(key: &str) -> bool {
    key.starts_with("GET ") || key.ends_with("/preview")
}

fn conflict_at(position: usize) -> Fault {
    Fault::Cancelled(vec![(position, "TransactionConflict")])
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn tenant_key(base: &Base) -> keys::Key {
    keys::tenant(&TenantId::parse(&base.customer.tenant_id).expect("an id"))
}

/// The request about something that does not exist, or that is not the caller's.
fn unknown(request: &Request) -> Request {
    let mut request = request.clone();
    if request.key.starts_with("POST /v1/invitations/") && !request.key.ends_with("/erase") {
        return request.member("token", "A".repeat(43));
    }
    for (name, value) in &mut request.parameters {
        let tail = "a".repeat(26);
        *value = match *name {
            "tenant_id" => "00000000-0000-4000-8000-000000000000".to_owned(),
            "partner_id" => format!("ptr_{tail}"),
            "key_id" => format!("key_{tail}"),
            "invitation_id" => format!("inv_{tail}"),
            "file" => "unknown.js".to_owned(),
            _ => continue,
        };
    }
    request
}

/// A code that only depends on the request: the request that has it.
fn changed(request: &Request, code: Code) -> Option<Request> {
    let request = request.clone();
    Some(match code {
        Code::EventMalformed => Request { version: "1.0", ..request },
        Code::NotAcceptable => request.header("accept", "image/png"),
        Code::TokenMissing => Request { omitted: Some("authorization"), ..request },
        Code::KeyInvalid => request.access_key("mpk_wrong"),
        Code::CrossSite => request.header("origin", "https://other.example"),
        Code::HeaderRepeated => repeat_header(request),
        Code::BodyMissing => Request { body: None, ..request },
        Code::BodyEncodingInvalid => Request { is_base64: true, ..request.bytes("?") },
        Code::BodyTooLarge if request.key.ends_with("/batch") => request.bytes(vec![b' '; 4 * MAX_BODY + 1]),
        Code::BodyTooLarge => request.bytes(vec![b' '; MAX_BODY + 1]),
        // A browser's request with another type is rejected before.
        Code::MediaTypeUnsupported => request.header("content-type", "application/json; charset=latin1"),
        Code::CsrfRefused if request.headers.contains_key("x-multipartner") => {
            Request { omitted: Some("x-multipartner"), ..request }
        }
        Code::CsrfRefused => request.unknown_session(),
        Code::SessionInvalid => request.unknown_session().own_page(),
        Code::JsonInvalid => request.bytes("{"),
        Code::JsonTooDeep => request.bytes("[".repeat(40)),
        Code::JsonDuplicateKey => request.bytes(r#"{"a": 1, "a": 2}"#),
        Code::ValidationFailed if request.body.is_some() => request.json(&json!({"nonsense": 1})),
        Code::ValidationFailed => with_query(request, "nonsense"),
        Code::EventTypeUnknown => request.json(&json!({"type": "nonsense", "data": {}})),
        Code::IdempotencyKeyMissing => Request { omitted: Some("idempotency-key"), ..request },
        Code::IdempotencyKeyInvalid => request.header("idempotency-key", "a,b"),
        Code::CursorInvalid => with_query(request, "cursor"),
        Code::SignatureMissing => Request { omitted: Some("webhook-signature"), ..request },
        Code::SignatureMalformed => request.header("webhook-timestamp", "noon"),
        Code::SignatureInvalid => request.header("webhook-signature", format!("v1,{}=", "A".repeat(43))),
        Code::TimestampOutOfTolerance => Request { signed_late_by: -301, ..request },
        _ => return None,
    })
}

fn with_query(mut request: Request, name: &'static str) -> Request {
    request.query.insert(name, "x");
    request
}

/// The first header of these that the request has, twice.
fn repeat_header(request: Request) -> Request {
    let names = ["authorization", "webhook-id", "content-type"];
    let name = names.into_iter().find(|name| request.headers.contains_key(*name)).expect("a header");
    let value = request.headers[name].clone();
    request.header(&name.to_uppercase(), value)
}
