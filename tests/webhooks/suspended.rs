//! Endpoints of a suspended partner: deliveries are held, and an operator can stop endpoints.

use serde_json::{Value, json};
use tests::{Call, Reply};

use crate::common::{Hook, Stage};

const HOUR: i64 = 3_600_000;

impl Stage {
    pub async fn suspend(&self) {
        self.partner_action("suspend").await;
    }

    pub async fn resume(&self) {
        self.partner_action("resume").await;
    }

    async fn partner_action(&self, action: &str) {
        let path = format!("/v1/partners/{}/{action}", self.partner.partner_id);
        self.world.operator(Call::new("POST", path)).await.expect(200);
    }

    /// An endpoint as an operator sees it.
    pub async fn operator_sees(&self, hook: &Hook) -> Value {
        let path = format!("/v1/partners/{}/endpoints/{}", self.partner.partner_id, hook.id);
        self.world.operator(Call::get(path)).await.expect(200)["endpoint"].clone()
    }
}

#[tokio::test]
async fn deliveries_of_a_suspended_partner_are_held_and_arrive_oldest_first_after_it_resumes() {
    let stage = Stage::start().await;
    let hook = stage.active(Value::Null).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let failing = stage.event("Northwind 1").await;
    // Three attempts: the next one is due half an hour later.
    stage.settle_for(7 * 60_000).await;
    hook.receiver.take();
    hook.receiver.answer(|_, _| Reply::status(204));
    stage.suspend().await;
    let mut kept = vec![failing.clone()];
    for n in 0..3 {
        stage.settle_for(24 * HOUR).await;
        let rename = json!({"name": format!("Northwind {n} b")});
        let path = format!("/v1/partners/{}", stage.partner.partner_id);
        stage.world.operator(Call::new("PATCH", path.as_str()).json(&rename)).await.expect(200);
        let newest = stage.world.operator(Call::get(format!("{path}/events?limit=1"))).await.expect(200);
        kept.push(newest["items"][0]["event_id"].as_str().expect("an id").to_owned());
    }
    stage.settle_for(24 * HOUR).await;
    assert!(hook.receiver.arrived().is_empty(), "no attempt is made");
    assert_eq!(stage.operator_sees(&hook).await["state"], "active");
    stage.resume().await;
    stage.settle().await;
    let arrived = hook.receiver.take();
    let kinds: Vec<String> = arrived.iter().map(tests::receiver::Arrived::kind).collect();
    let renamed: Vec<&String> =
        arrived.iter().filter(|one| one.kind() == "partner.updated").map(|one| &one.id).collect();
    assert_eq!(renamed, kept.iter().collect::<Vec<_>>(), "oldest first: {kinds:?}");
    for kind in ["partner.suspended", "partner.resumed"] {
        assert_eq!(kinds.iter().filter(|one| *one == kind).count(), 1, "{kinds:?}");
    }
    assert_eq!(stage.delivery(&hook, &failing).await["attempt"], 4, "no attempt was counted meanwhile");
}

#[tokio::test]
async fn the_time_of_a_suspension_does_not_count_toward_disabling() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    for day in 0..4 {
        stage.event(&format!("Northwind {day}")).await;
        stage.settle_for(24 * HOUR).await;
    }
    stage.suspend().await;
    stage.settle_for(40 * HOUR).await;
    stage.resume().await;
    // It has failed for four days before the suspension. The next five days begin when the partner resumes.
    for (days, state) in [(0..4, "active"), (4..7, "disabled")] {
        for day in days {
            stage.event(&format!("Northwind {day} after")).await;
            stage.settle_for(24 * HOUR).await;
        }
        assert_eq!(stage.state(&hook).await, state);
    }
}

#[tokio::test]
async fn a_challenge_of_a_suspended_partner_waits_as_well() {
    let stage = Stage::start().await;
    let hook = stage.pending(Value::Null).await;
    stage.suspend().await;
    stage.settle_for(HOUR).await;
    assert!(hook.receiver.arrived().is_empty());
    assert_eq!(stage.operator_sees(&hook).await["state"], "pending");
    stage.resume().await;
    stage.settle().await;
    assert_eq!(stage.state(&hook).await, "active");
    assert_eq!(hook.receiver.of_type("endpoint.created").len(), 1);
    assert_eq!(hook.receiver.of_type("partner.suspended").len(), 1);
}

#[tokio::test]
async fn endpoints_of_a_customer_do_not_wait_for_its_partner() {
    let stage = Stage::start().await;
    let customer = stage.world.customer().await;
    stage.world.relate(&stage.partner, &customer).await;
    let receiver = tests::Receiver::start().await;
    stage.ask(customer.call("POST", "/endpoints").json(&json!({"url": receiver.url()}))).await.expect(201);
    stage.settle().await;
    stage.suspend().await;
    stage.ask(customer.end(&stage.partner)).await.expect(200);
    stage.settle().await;
    assert_eq!(receiver.of_type("relationship.ended").len(), 1);
}

#[tokio::test]
async fn an_operator_sees_disables_and_deletes_any_endpoint_but_changes_nothing_else() {
    let stage = Stage::start().await;
    let customer = stage.world.customer().await;
    let key_id = {
        let body = json!({"principal": {"kind": "operator"}, "roles": [], "name": "On call"});
        stage.world.operator(Call::post("/v1/keys", &body)).await.expect(201)
    };
    let key = key_id["key"].as_str().expect("a key").to_owned();
    let key_id = key_id["key_id"].as_str().expect("an id").to_owned();
    let receiver = tests::Receiver::start().await;
    let created =
        stage.ask(customer.call("POST", "/endpoints").json(&json!({"url": receiver.url()}))).await.expect(201);
    let customers = created["endpoint"]["endpoint_id"].as_str().expect("an id").to_owned();
    let hook = stage.active(Value::Null).await;
    stage.suspend().await;
    for (owner, id) in [
        (format!("/v1/partners/{}", stage.partner.partner_id), &hook.id),
        (format!("/v1/customers/{}", customer.tenant_id), &customers),
    ] {
        let path = format!("{owner}/endpoints/{id}");
        let call = |method: &str, path: &str| Call::new(method, path).key(&key);
        assert_eq!(
            stage.ask(call("GET", &format!("{owner}/endpoints"))).await.expect(200)["items"][0]["endpoint_id"],
            id.as_str()
        );
        stage.ask(call("GET", &path)).await.expect(200);
        stage.ask(call("GET", &format!("{path}/deliveries"))).await.expect(200);
        for body in [
            json!({"state": "active"}),
            json!({"state": "disabled", "url": "https://hooks.example.com/x"}),
            json!({"state": "disabled", "event_types": null}),
            json!({"description": "theirs"}),
            json!({}),
        ] {
            stage.ask(call("PATCH", &path).json(&body)).await.refused(403, "role_not_permitted");
        }
        for rest in ["/rotate", "/test", "/resend"] {
            let body = match rest {
                "/rotate" => json!({"grace_hours": 0}),
                "/resend" => json!({"since": "2026-11-22T12:00:00Z"}),
                _ => json!({}),
            };
            stage.ask(call("POST", &format!("{path}{rest}")).json(&body)).await.refused(403, "role_not_permitted");
        }
        for _ in 0..2 {
            let disabled = stage.ask(call("PATCH", &path).json(&json!({"state": "disabled"}))).await.expect(200);
            assert_eq!(disabled["endpoint"]["state"], "disabled");
        }
        assert_eq!(stage.ask(call("DELETE", &path)).await.expect(200)["endpoint"]["state"], "deleted");
        let events = stage.ask(call("GET", &format!("{owner}/events?subject={id}"))).await.expect(200);
        let by_operator: Vec<&str> = events["items"]
            .as_array()
            .expect("items")
            .iter()
            .filter(|event| event["actor"]["kind"] == "operator" && event["actor"]["id"] == key_id.as_str())
            .map(|event| event["type"].as_str().expect("a type"))
            .collect();
        assert_eq!(by_operator, ["endpoint.deleted", "endpoint.updated"]);
    }
    // Unknown owners and endpoints.
    for path in [
        format!("/v1/partners/ptr_{}/endpoints/{}", "a".repeat(26), hook.id),
        format!("/v1/customers/00000000-0000-4000-8000-000000000009/endpoints/{customers}"),
        format!("/v1/customers/{}/endpoints/{}", customer.tenant_id, hook.id),
    ] {
        stage.ask(Call::new("DELETE", path).key(&key)).await.refused(404, "not_found");
    }
}
