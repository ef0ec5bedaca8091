//! Two concurrent requests: one wins, the other is rejected, and there is one event for each change.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::future::join;
use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, link, preview, registration};
use tests::{Answer, Call, Customer, Partner, World};

use crate::common::{announced, audited, count, events_of, sold};

/// The number of rounds of each race: the environment variable `ROUNDS`, by default 25.
fn rounds() -> usize {
    std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(25)
}

/// Sends a call and returns the response, with its status and code as text. Retryable errors are retried, because only
/// the final outcome of a race matters.
async fn said(world: &World, call: &Call) -> (String, Answer) {
    for _ in 0..20 {
        let answer = world.send(call).await;
        if answer.json()["retryable"] != true {
            let code = answer.code();
            let word = if code.is_empty() { answer.status.to_string() } else { format!("{} {code}", answer.status) };
            return (word, answer);
        }
    }
    panic!("{} is still retryable after 20 tries", call.path)
}

/// A race that runs for several rounds.
struct Race {
    world: World,
    partner: Option<Partner>,
    begun: usize,
    /// How often each outcome occurred.
    outcomes: RefCell<BTreeMap<String, usize>>,
}

impl Race {
    /// Starts the local system with its virtual clock. Prints a line and returns `None` if a deployment is tested.
    async fn start() -> Option<Self> {
        let world = World::with_clock().await?;
        Some(Self { world, partner: None, begun: 0, outcomes: RefCell::default() })
    }

    /// The parties of the next round, or `None` after the last round. Each round has a new customer, because a partner
    /// can invite a customer only five times a day. Every tenth round has a new partner, to keep lists short.
    async fn next(&mut self) -> Option<(Partner, Customer)> {
        if self.begun == rounds() {
            return None;
        }
        if self.begun.is_multiple_of(10) {
            self.partner = Some(self.world.partner().await);
        }
        self.begun += 1;
        Some((self.partner.clone()?, self.world.customer().await))
    }

    /// Sends two calls at once. Which one is first alternates between rounds.
    async fn both(&self, one: &Call, two: &Call) -> ((String, Answer), (String, Answer)) {
        if self.begun.is_multiple_of(2) {
            join(said(&self.world, one), said(&self.world, two)).await
        } else {
            let (two, one) = join(said(&self.world, two), said(&self.world, one)).await;
            (one, two)
        }
    }

    /// Records an outcome, which must be in `allowed`.
    fn note(&self, one: &str, two: &str, allowed: &[(&str, &str)]) {
        assert!(allowed.contains(&(one, two)), "{one} ‖ {two}");
        *self.outcomes.borrow_mut().entry(format!("{one} ‖ {two}")).or_default() += 1;
    }

    /// Prints the outcomes and checks the hash chains of all events.
    async fn over(self) {
        println!("{:?}", self.outcomes.borrow());
        audited(&self.world).await;
    }
}

async fn counts(world: &World, id: &str, types: &[&str]) -> Vec<usize> {
    let mut counts = Vec::new();
    for event_type in types {
        counts.push(count(world, id, event_type).await);
    }
    counts
}

const LOST: &str = "409 invalid_transition";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accept_and_cancel() {
    let Some(mut race) = Race::start().await else { return };
    while let Some((partner, customer)) = race.next().await {
        let world = &race.world;
        let (id, token) = world.open(&partner, &customer, Value::Null).await;
        let accept = accept_by_link(&id, &token, &Value::Null);
        let ((one, _), (two, _)) = race.both(&accept, &partner.cancel(&id)).await;
        race.note(&one, &two, &[("200", LOST), (LOST, "200")]);
        let won = usize::from(one == "200");
        let counted = counts(world, &id, &["invitation.accepted", "invitation.cancelled"]).await;
        assert_eq!(counted, [won, 1 - won]);
        assert_eq!(world.all(&customer.call("GET", "/partners")).await.len(), won);
    }
    race.over().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accept_and_renew() {
    let Some(mut race) = Race::start().await else { return };
    while let Some((partner, customer)) = race.next().await {
        let world = &race.world;
        let (id, token) = world.open(&partner, &customer, Value::Null).await;
        let accept = accept_by_link(&id, &token, &Value::Null);
        let ((one, _), (two, renewed)) = race.both(&accept, &partner.renew(&id)).await;
        race.note(&one, &two, &[("200", LOST), ("404 not_found", "200")]);
        let won = usize::from(one == "200");
        let counted = counts(world, &id, &["invitation.accepted", "invitation.renewed"]).await;
        assert_eq!(counted, [won, 1 - won]);
        if won == 0 {
            let (_, token) = link(&renewed.json());
            world.send(&accept_by_link(&id, &token, &Value::Null)).await.expect(200);
        }
    }
    race.over().await;
}

/// The invitation expires while the customer accepts it and the job runs. After `invitation.expired` is written, an
/// acceptance is rejected even if it was checked in time: the timeline never has both events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accept_and_expire() {
    let Some(mut race) = Race::start().await else { return };
    while let Some((partner, customer)) = race.next().await {
        let world = &race.world;
        let (id, token) = world.open(&partner, &customer, Value::Null).await;
        world.clock().advance_millis(30 * 86_400_000 - 1);
        let accept = accept_by_link(&id, &token, &Value::Null);
        let job = async {
            if !race.begun.is_multiple_of(3) {
                tokio::task::yield_now().await;
            }
            world.clock().advance_millis(1);
            announced(world).await
        };
        let ((one, _), told) = join(said(world, &accept), job).await;
        // If the acceptance was written while the job ran, the second run has nothing to announce.
        let told = told + announced(world).await;
        race.note(&one, &told.to_string(), &[("200", "0"), ("410 invitation_expired", "1")]);
        let won = usize::from(one == "200");
        let counted = counts(world, &id, &["invitation.accepted", "invitation.expired"]).await;
        assert_eq!(counted, [won, usize::try_from(told).expect("a number")]);
    }
    race.over().await;
}

/// The customer accepts a grant while the relationship ends: the grant ends with the relationship or never starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accept_and_end() {
    let Some(mut race) = Race::start().await else { return };
    while let Some((partner, customer)) = race.next().await {
        let world = &race.world;
        world.relate(&partner, &customer).await;
        let (id, token) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
        let accept = accept_by_link(&id, &token, &json!("as_requested"));
        let ((one, accepted), (two, _)) = race.both(&accept, &customer.end(&partner)).await;
        race.note(&one, &two, &[("200", "200"), (LOST, "200")]);
        let won = usize::from(one == "200");
        assert_eq!(counts(world, &id, &["invitation.accepted"]).await, [won]);
        let events = events_of(world, &customer.tenant_id).await;
        let ended: Vec<_> = events.iter().filter(|event| event["type"] == "relationship.ended").collect();
        let grants = if won == 1 { json!([accepted.json()["grant"]["grant_id"]]) } else { json!([]) };
        assert_eq!((ended.len(), &ended[0]["data"]["grants"]), (1, &grants));
        let rows = world.all(&customer.call("GET", "/partners")).await;
        assert_eq!(rows[0]["state"], "ended");
        assert!(rows[0]["grants"].as_array().unwrap().iter().all(|grant| grant["state"] == "ended"));
    }
    race.over().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn register_and_end() {
    let Some(mut race) = Race::start().await else { return };
    while let Some((partner, customer)) = race.next().await {
        let world = &race.world;
        world.relate(&partner, &customer).await;
        let subscription = format!("s-{}", race.begun);
        let register = partner.register(&registration(&subscription, &customer));
        let ((one, _), (two, _)) = race.both(&register, &customer.end(&partner)).await;
        race.note(&one, &two, &[("201", "200"), ("403 no_active_relationship", "200")]);
        let won = usize::from(one == "201");
        let types = ["subscription.registered", "relationship.ended"];
        assert_eq!(counts(world, &customer.tenant_id, &types).await, [won, 1]);
        assert_eq!(world.all(&customer.call("GET", "/subscriptions")).await.len(), won);
        let before = sold(world, &[&partner], &customer).await;
        assert_eq!(said(world, &register).await.0, if won == 1 { "200" } else { "403 no_active_relationship" });
        assert_eq!(sold(world, &[&partner], &customer).await, before);
    }
    race.over().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn end_and_end() {
    let Some(mut race) = Race::start().await else { return };
    while let Some((partner, customer)) = race.next().await {
        let world = &race.world;
        world.relate(&partner, &customer).await;
        let ((one, first), (two, second)) = race.both(&partner.end(&customer), &customer.end(&partner)).await;
        race.note(&one, &two, &[("200", "200")]);
        assert_eq!(first.body, second.body);
        assert!(first.replayed() != second.replayed(), "exactly one of them ended it");
        assert_eq!(counts(world, &customer.tenant_id, &["relationship.ended"]).await, [1]);
    }
    race.over().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enrol_and_accept() {
    let Some(mut race) = Race::start().await else { return };
    while let Some((partner, customer)) = race.next().await {
        let world = &race.world;
        let (id, token) = world.open(&partner, &customer, Value::Null).await;
        let body = json!({"tenant_id": customer.tenant_id, "name": "Contoso", "cloud": "public", "market": "US"});
        let enrol = Call::post("/v1/partners", &body).key(world.operator_key());
        let accept = accept_by_link(&id, &token, &Value::Null);
        let ((one, _), (two, _)) = race.both(&enrol, &accept).await;
        race.note(&one, &two, &[("201", "200"), ("201", "403 customer_is_csp_tenant")]);
        let won = usize::from(two == "200");
        let types = ["partner.enrolled", "invitation.accepted"];
        assert_eq!(counts(world, &customer.tenant_id, &types).await, [1, won]);
        // No matter which request won, the tenant gets no new subscriptions.
        let refusal = if won == 1 { "403 customer_is_csp_tenant" } else { "403 no_active_relationship" };
        let register = partner.register(&registration(&format!("s-{}", race.begun), &customer));
        assert_eq!(said(world, &register).await.0, refusal);
    }
    race.over().await;
}

/// Each renewal asks for something else, so both are made. Only the later link works, and it shows what the later one asks for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewals_with_different_content() {
    let Some(mut race) = Race::start().await else { return };
    while let Some((partner, customer)) = race.next().await {
        let world = &race.world;
        let (id, _) = world.open(&partner, &customer, Value::Null).await;
        let renew = |message: &str| partner.renew(&id).json(&json!({"message": message}));
        let ((one, first), (two, second)) = race.both(&renew("one"), &renew("two")).await;
        race.note(&one, &two, &[("200", "200")]);
        assert!(!first.replayed() && !second.replayed());
        assert_eq!(counts(world, &id, &["invitation.renewed"]).await, [2]);
        let mut working = Vec::new();
        for (message, answer) in [("one", &first), ("two", &second)] {
            let shown = world.send(&preview(&id, &link(&answer.json()).1)).await;
            if shown.status == 200 {
                assert_eq!(
                    (&shown.json()["invitation"]["message"], &answer.json()["invitation"]["version"]),
                    (&json!(message), &json!(3))
                );
                working.push(message);
            }
        }
        assert_eq!(working.len(), 1, "{working:?}");
    }
    race.over().await;
}

/// If the requests are concurrent, one event is written and both return the same link. Otherwise the second request
/// replaces the link of the first. A response is marked as replayed only if there is one event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renew_and_renew() {
    let Some(mut race) = Race::start().await else { return };
    while let Some((partner, customer)) = race.next().await {
        let world = &race.world;
        let (id, old) = world.open(&partner, &customer, Value::Null).await;
        let renew = partner.renew(&id);
        let ((one, first), (two, second)) = race.both(&renew, &renew).await;
        race.note(&one, &two, &[("200", "200")]);
        let events = counts(world, &id, &["invitation.renewed"]).await[0];
        let replayed = first.replayed() || second.replayed();
        assert!(events == 1 || (events == 2 && !replayed), "{events} events, replayed: {replayed}");
        let mut working = 0;
        for token in [link(&first.json()).1, link(&second.json()).1] {
            working += usize::from(world.send(&preview(&id, &token)).await.status == 200);
        }
        assert_eq!(working, if events == 1 { 2 } else { 1 });
        world.send(&preview(&id, &old)).await.refused(404, "not_found");
    }
    race.over().await;
}
