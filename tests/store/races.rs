//! Concurrent requests. Every race runs for many rounds. The seed of a round determines the order of the requests, and
//! every second round has faults. Each round must have one of the outcomes that the race lists, and each outcome must
//! occur.
//!
//! `STORE_ROUNDS` sets the number of rounds per race. `STORE_SEED` runs only one seed.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::parties::{accept_by_link, link, registration};
use tests::rng::{Rng, from_env};
use tests::{Answer, Call, Customer, Sim, SimOptions};

use crate::commands::{Stage, four_roles};
use crate::table::Table;

/// One of the concurrent actions of a race.
#[derive(Clone)]
pub enum Task {
    /// A request.
    Send(Call),
    /// A request to a deployment whose clock is [`BEHIND_MS`] behind.
    SendBehind(Call),
    /// A run of the job `expire-due`.
    ExpireDue,
}

/// The prepared tasks of a race.
pub struct Scene {
    tasks: Vec<Task>,
    /// How long after the preparation the race starts.
    later_ms: i64,
}

impl Scene {
    fn of(calls: impl IntoIterator<Item = Call>) -> Self {
        Self { tasks: calls.into_iter().map(Task::Send).collect(), later_ms: 0 }
    }

    fn and(mut self, task: Task) -> Self {
        self.tasks.push(task);
        self
    }

    fn later(self, later_ms: i64) -> Self {
        Self { later_ms, ..self }
    }
}

type Prepared<'a> = Pin<Box<dyn Future<Output = Scene> + 'a>>;

/// An outcome of a race: one result per task (`ok`, `job`, or status and code), and the new events, sorted.
type Ending = (&'static [&'static str], &'static [&'static str]);

struct Race {
    name: &'static str,
    rounds: u64,
    prepare: for<'a> fn(&'a Stage) -> Prepared<'a>,
    endings: &'static [Ending],
}

/// Maximum delay of a request to the table, and of its response.
const LATENCY: Duration = Duration::from_millis(10);
const DAY_MS: i64 = 86_400_000;
/// Maximum difference between two clocks.
const BEHIND_MS: i64 = 2_000;
/// Rounds of a race that the domain's rules name. `.ci/races` runs 200 rounds of every race.
const NAMED: u64 = 50;
/// Rounds of any other race.
const FURTHER: u64 = 20;

async fn run(race: &Race) {
    let (rounds, only) = (from_env("STORE_ROUNDS", race.rounds), from_env("STORE_SEED", u64::MAX));
    let stage = Stage::new(SimOptions::default()).await;
    let sim = stage.world.sim();
    let scene = (race.prepare)(&stage).await;
    let (ready, start) = (sim.engine.snapshot(), stage.world.now());
    let behind = sim.second(1, -BEHIND_MS);
    let before = Table::of(sim).events();
    let mut seen: BTreeMap<(Vec<String>, Vec<String>), u64> = BTreeMap::new();
    for seed in 0..rounds {
        if only != u64::MAX && only != seed {
            continue;
        }
        sim.engine.restore(&ready);
        sim.clock.set(start.plus_millis(scene.later_ms));
        behind.clock.set(start.plus_millis(scene.later_ms - BEHIND_MS));
        sim.faults.latency(seed, LATENCY);
        if seed % 2 == 1 {
            sim.faults.random(seed, 15);
        }
        let mut rng = Rng::new(seed);
        let racing = scene.tasks.iter().map(|task| {
            let delay = Duration::from_micros(rng.below(3 * 10_000));
            perform(&stage, &behind, task, delay)
        });
        let mut answers = join_all(racing).await;
        sim.faults.none();
        settle(&stage, &behind, &scene, &mut answers, &mut rng).await;
        let table = Table::of(sim);
        let found = table.violations(stage.world.now(), 5);
        assert!(found.is_empty(), "{}, STORE_SEED={seed}: {found:#?}", race.name);
        let mut events: Vec<String> =
            table.events().into_iter().filter(|(key, _)| !before.contains_key(key)).map(|(_, event)| event).collect();
        events.sort();
        let ending = (answers.iter().map(word).collect::<Vec<_>>(), events);
        let allowed = race.endings.iter().any(|(answers, events)| ending.0 == *answers && ending.1 == *events);
        assert!(allowed, "{}, STORE_SEED={seed}: {ending:?}", race.name);
        *seen.entry(ending).or_default() += 1;
    }
    println!(
        "{}: {}",
        race.name,
        seen.iter().map(|(ending, count)| format!("{count}× {ending:?}")).collect::<Vec<_>>().join(", ")
    );
    if only == u64::MAX && rounds >= NAMED {
        assert_eq!(seen.len(), race.endings.len(), "{}: a listed outcome never occurred", race.name);
    }
}

async fn perform(stage: &Stage, behind: &Sim, task: &Task, delay: Duration) -> Option<Answer> {
    tokio::time::sleep(delay).await;
    match task {
        Task::Send(call) => Some(stage.world.send(call).await),
        Task::SendBehind(call) => Some(behind.send(call).await),
        Task::ExpireDue => {
            // If the job fails, its next run does the rest.
            let _ = stage.world.sim().expire_due().await;
            None
        }
    }
}

/// Retries as callers and the schedule do: requests with a retryable response other than 429, and always the job.
async fn settle(stage: &Stage, behind: &Sim, scene: &Scene, answers: &mut [Option<Answer>], rng: &mut Rng) {
    for (task, answer) in scene.tasks.iter().zip(answers.iter_mut()) {
        let again = answer.as_ref().is_none_or(|given| given.json()["retryable"] == true && given.status != 429);
        if again {
            *answer = perform(stage, behind, task, Duration::from_millis(rng.below(100))).await;
        }
    }
}

fn word(answer: &Option<Answer>) -> String {
    match answer {
        // After a lost response, a retry may return 200 or 201. The difference does not matter here.
        Some(answer) if matches!(answer.status, 200 | 201) => "ok".to_owned(),
        Some(answer) => format!("{} {}", answer.status, answer.code()),
        None => "job".to_owned(),
    }
}

macro_rules! races {
    ($($rounds:ident $test:ident($stage:ident) $ready:block $([$($answer:literal),*] [$($event:literal),*];)*)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $test() {
            let endings: &'static [Ending] = &[$((&[$($answer),*], &[$($event),*])),*];
            run(&Race {
                name: stringify!($test),
                rounds: $rounds,
                prepare: |$stage| Box::pin(async move $ready),
                endings,
            })
            .await;
        }
    )*};
}

impl Stage {
    async fn open(&self, admin: Value) -> (Customer, String, String) {
        let customer = self.customer().await;
        let (id, token) = self.invite(&customer, admin).await;
        (customer, id, token)
    }

    fn cancel(&self, id: &str) -> Call {
        self.partner.call("POST", &format!("/invitations/{id}/cancel"))
    }

    fn renew(&self, id: &str) -> Call {
        self.partner.call("POST", &format!("/invitations/{id}/renew"))
    }

    fn create(&self, customer: &Customer, admin: Value) -> Call {
        let body = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": admin});
        self.partner.create(&body).idempotency_key(self.world.unique())
    }

    fn batch(&self, customer: &Customer, ids: &[&str]) -> Call {
        self.partner.register_batch(&ids.iter().map(|id| registration(id, customer)).collect::<Vec<_>>())
    }

    fn end(&self, customer: &Customer) -> Call {
        self.partner.call("DELETE", &format!("/customers/{}", customer.tenant_id))
    }

    fn end_grant(&self, grant: &str) -> Call {
        self.partner.call("DELETE", &format!("/grants/{grant}"))
    }

    fn narrow(&self, grant: &str, body: &Value) -> Call {
        self.partner.call("PATCH", &format!("/grants/{grant}")).json(body)
    }

    fn enrol(&self, customer: &Customer) -> Call {
        let body = json!({"tenant_id": customer.tenant_id, "name": "Contoso", "cloud": "public", "market": "US"});
        self.by_operator(Call::post("/v1/partners", &body))
    }

    fn by_operator(&self, call: Call) -> Call {
        call.key(self.world.operator_key())
    }

    /// Creates an invitation that expires after one day. Returns the customer, the invitation id and the token.
    async fn for_a_day(&self) -> (Customer, String, String) {
        let customer = self.customer().await;
        let body = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": null, "expires_in_days": 1});
        let call = self.partner.create(&body).idempotency_key(self.world.unique());
        let (id, token) = link(&self.world.send(&call).await.expect(201));
        (customer, id, token)
    }

    async fn path_of_partner(&self) -> String {
        format!("/v1/partners/{}", self.world.partner().await.partner_id)
    }
}

fn accept(id: &str, token: &str) -> Call {
    accept_by_link(id, token, &Value::Null)
}

fn decline(id: &str, token: &str) -> Call {
    Call::post(format!("/v1/invitations/{id}/decline"), &json!({"token": token}))
}

races! {
    NAMED concurrent_creates_make_one_invitation(stage) {
        let call = stage.create(&stage.customer().await, four_roles());
        Scene::of([call.clone(), call])
    }
    ["ok", "ok"] ["invitation.created"];

    NAMED creates_for_one_pair_make_one_invitation(stage) {
        let customer = stage.customer().await;
        Scene::of([stage.create(&customer, Value::Null), stage.create(&customer, Value::Null)])
    }
    ["ok", "409 invitation_pending"] ["invitation.created"];
    ["409 invitation_pending", "ok"] ["invitation.created"];

    FURTHER create_meets_cancel(stage) {
        let (customer, id, _) = stage.open(Value::Null).await;
        Scene::of([stage.create(&customer, Value::Null), stage.cancel(&id)])
    }
    ["ok", "ok"] ["invitation.cancelled", "invitation.created"];
    ["409 invitation_pending", "ok"] ["invitation.cancelled"];

    FURTHER create_meets_accept(stage) {
        let (customer, id, token) = stage.open(Value::Null).await;
        Scene::of([stage.create(&customer, four_roles()), accept(&id, &token)])
    }
    ["ok", "ok"] ["invitation.accepted", "invitation.created"];
    ["409 invitation_pending", "ok"] ["invitation.accepted"];

    FURTHER create_meets_end(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        Scene::of([stage.create(&customer, Value::Null), stage.end(&customer)])
    }
    ["ok", "ok"] ["invitation.created", "relationship.ended"];
    ["409 relationship_active", "ok"] ["relationship.ended"];

    FURTHER create_meets_renew_of_an_expired_one(stage) {
        let (customer, id, _) = stage.for_a_day().await;
        Scene::of([stage.create(&customer, Value::Null), stage.renew(&id)]).later(2 * DAY_MS)
    }
    ["ok", "409 invitation_pending"] ["invitation.created"];
    ["409 invitation_pending", "ok"] ["invitation.renewed"];

    NAMED concurrent_accepts_accept_once(stage) {
        let (_, id, token) = stage.open(four_roles()).await;
        let call = accept_by_link(&id, &token, &json!("as_requested"));
        Scene::of([call.clone(), call])
    }
    ["ok", "ok"] ["invitation.accepted"];

    FURTHER accepts_with_different_decisions_make_one(stage) {
        let (_, id, token) = stage.open(four_roles()).await;
        Scene::of(["as_requested", "refused"].map(|word| accept_by_link(&id, &token, &json!(word))))
    }
    ["ok", "409 invalid_transition"] ["invitation.accepted"];
    ["409 invalid_transition", "ok"] ["invitation.accepted"];

    FURTHER accept_meets_decline(stage) {
        let (_, id, token) = stage.open(Value::Null).await;
        Scene::of([accept(&id, &token), decline(&id, &token)])
    }
    ["ok", "409 invalid_transition"] ["invitation.accepted"];
    ["409 invalid_transition", "ok"] ["invitation.declined"];

    NAMED accept_meets_cancel(stage) {
        let (_, id, token) = stage.open(Value::Null).await;
        Scene::of([accept(&id, &token), stage.cancel(&id)])
    }
    ["ok", "409 invalid_transition"] ["invitation.accepted"];
    ["409 invalid_transition", "ok"] ["invitation.cancelled"];

    NAMED accept_meets_renew(stage) {
        let (_, id, token) = stage.open(Value::Null).await;
        Scene::of([accept(&id, &token), stage.renew(&id)])
    }
    ["ok", "409 invalid_transition"] ["invitation.accepted"];
    ["404 not_found", "ok"] ["invitation.renewed"];

    NAMED accept_of_a_version_meets_an_amendment(stage) {
        let (customer, id, _) = stage.open(four_roles()).await;
        let key = stage.world.issue_key(json!({"kind": "customer", "id": customer.tenant_id}), &["global_admin"]).await;
        let customer = Customer { key, ..customer };
        let amend = stage.renew(&id).json(&json!({"delegated_admin": {"roles": ["global_administrator"], "duration": "P730D"}}));
        Scene::of([customer.accept(&id, &json!("as_requested")), amend])
    }
    ["ok", "409 invalid_transition"] ["invitation.accepted"];
    ["409 invitation_changed", "ok"] ["invitation.renewed"];

    FURTHER renewals_with_different_content_are_both_made(stage) {
        let (_, id, _) = stage.open(Value::Null).await;
        Scene::of(["one", "two"].map(|message| stage.renew(&id).json(&json!({"message": message}))))
    }
    ["ok", "ok"] ["invitation.renewed", "invitation.renewed"];

    FURTHER renewals_with_the_same_content_make_one_link_if_they_are_concurrent(stage) {
        let (_, id, _) = stage.open(Value::Null).await;
        let call = stage.renew(&id).json(&json!({"message": "one"}));
        Scene::of([call.clone(), call])
    }
    ["ok", "ok"] ["invitation.renewed"];
    ["ok", "ok"] ["invitation.renewed", "invitation.renewed"];

    NAMED accept_meets_expiry(stage) {
        let (_, id, token) = stage.for_a_day().await;
        Scene::of([accept(&id, &token)]).and(Task::ExpireDue).later(DAY_MS - 15)
    }
    ["ok", "job"] ["invitation.accepted"];
    ["410 invitation_expired", "job"] ["invitation.expired"];

    FURTHER accept_by_a_clock_behind_meets_expiry(stage) {
        let (_, id, token) = stage.for_a_day().await;
        Scene::of([]).and(Task::SendBehind(accept(&id, &token))).and(Task::ExpireDue).later(DAY_MS - 15)
    }
    ["ok", "job"] ["invitation.accepted"];
    ["410 invitation_expired", "job"] ["invitation.expired"];

    FURTHER renew_meets_expiry(stage) {
        let (_, id, _) = stage.for_a_day().await;
        Scene::of([stage.renew(&id)]).and(Task::ExpireDue).later(DAY_MS)
    }
    ["ok", "job"] ["invitation.renewed"];
    ["ok", "job"] ["invitation.expired", "invitation.renewed"];

    FURTHER runs_of_the_job_announce_once(stage) {
        stage.for_a_day().await;
        stage.related(json!({"roles": ["directory_readers"], "duration": "P1D"})).await;
        Scene::of([]).and(Task::ExpireDue).and(Task::ExpireDue).later(DAY_MS)
    }
    ["job", "job"] ["grant.expired", "invitation.expired"];

    NAMED accept_of_a_grant_meets_the_end(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        let (id, token) = stage.invite(&customer, four_roles()).await;
        Scene::of([accept_by_link(&id, &token, &json!("as_requested")), stage.end(&customer)])
    }
    ["ok", "ok"] ["invitation.accepted", "relationship.ended"];
    ["409 invalid_transition", "ok"] ["relationship.ended"];

    FURTHER decline_of_the_open_invitation_meets_the_end(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        let (id, token) = stage.invite(&customer, four_roles()).await;
        Scene::of([decline(&id, &token), stage.end(&customer)])
    }
    ["ok", "ok"] ["invitation.declined", "relationship.ended"];
    ["409 invalid_transition", "ok"] ["relationship.ended"];

    FURTHER renewal_of_the_open_invitation_meets_the_end(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        let (id, _) = stage.invite(&customer, four_roles()).await;
        Scene::of([stage.renew(&id), stage.end(&customer)])
    }
    ["ok", "ok"] ["invitation.renewed", "relationship.ended"];
    ["409 invalid_transition", "ok"] ["relationship.ended"];

    FURTHER expiry_of_the_open_invitation_meets_the_end(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        let body = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": four_roles(), "expires_in_days": 1});
        stage.world.send(&stage.partner.create(&body).idempotency_key(stage.world.unique())).await.expect(201);
        Scene::of([stage.end(&customer)]).and(Task::ExpireDue).later(DAY_MS - 15)
    }
    ["ok", "job"] ["relationship.ended"];
    ["ok", "job"] ["invitation.expired", "relationship.ended"];

    FURTHER end_by_a_clock_behind_meets_expiry_of_the_open_invitation(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        let body = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": four_roles(), "expires_in_days": 1});
        stage.world.send(&stage.partner.create(&body).idempotency_key(stage.world.unique())).await.expect(201);
        let end = Task::SendBehind(stage.end(&customer));
        Scene::of([]).and(end).and(Task::ExpireDue).later(DAY_MS - 15)
    }
    ["ok", "job"] ["relationship.ended"];
    ["ok", "job"] ["invitation.expired", "relationship.ended"];

    FURTHER acceptances_by_link_meet_the_end_and_never_start_it_again(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        let (id, token) = stage.invite(&customer, four_roles()).await;
        let accept = accept_by_link(&id, &token, &json!("as_requested"));
        Scene::of([stage.end(&customer), accept, stage.create(&customer, four_roles())])
    }
    ["ok", "ok", "ok"] ["invitation.accepted", "invitation.created", "relationship.ended"];
    ["ok", "ok", "409 invitation_pending"] ["invitation.accepted", "relationship.ended"];
    ["ok", "409 invalid_transition", "ok"] ["invitation.created", "relationship.ended"];
    ["ok", "409 invalid_transition", "409 invitation_pending"] ["relationship.ended"];

    NAMED register_meets_the_end(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        Scene::of([stage.partner.register(&registration("one", &customer)), stage.end(&customer)])
    }
    ["ok", "ok"] ["relationship.ended", "subscription.registered"];
    ["403 no_active_relationship", "ok"] ["relationship.ended"];

    NAMED both_sides_end_at_once(stage) {
        let (customer, _) = stage.related(four_roles()).await;
        let key = json!({"kind": "customer", "id": customer.tenant_id});
        let key = stage.world.issue_key(key, &["global_admin"]).await;
        let other = Customer { key, ..customer.clone() };
        Scene::of([stage.end(&customer), other.call("DELETE", &format!("/partners/{}", stage.partner.partner_id))])
    }
    ["ok", "ok"] ["relationship.ended"];

    FURTHER end_of_a_grant_meets_the_end_of_all(stage) {
        let (customer, grant) = stage.related(four_roles()).await;
        Scene::of([stage.end_grant(&grant), stage.end(&customer)])
    }
    ["ok", "ok"] ["grant.ended", "relationship.ended"];
    ["ok", "ok"] ["relationship.ended"];

    FURTHER narrowing_meets_the_end_of_all(stage) {
        let (customer, grant) = stage.related(four_roles()).await;
        let body = json!({"roles": ["directory_readers"]});
        Scene::of([stage.narrow(&grant, &body), stage.end(&customer)])
    }
    ["ok", "ok"] ["grant.narrowed", "relationship.ended"];
    ["409 invalid_transition", "ok"] ["relationship.ended"];

    FURTHER narrowing_meets_the_end_of_the_grant(stage) {
        let (_, grant) = stage.related(four_roles()).await;
        let body = json!({"roles": ["directory_readers"]});
        Scene::of([stage.narrow(&grant, &body), stage.end_grant(&grant)])
    }
    ["ok", "ok"] ["grant.ended", "grant.narrowed"];
    ["409 invalid_transition", "ok"] ["grant.ended"];

    FURTHER narrowing_meets_narrowing(stage) {
        let (_, grant) = stage.related(four_roles()).await;
        let fewer = json!({"roles": ["directory_readers", "license_administrator"]});
        let other = json!({"roles": ["directory_readers"]});
        Scene::of([stage.narrow(&grant, &fewer), stage.narrow(&grant, &other)])
    }
    ["ok", "ok"] ["grant.narrowed", "grant.narrowed"];
    ["422 grant_not_narrower", "ok"] ["grant.narrowed"];

    FURTHER narrowing_meets_an_announcement(stage) {
        let (_, grant) = stage.related(json!({"roles": ["directory_readers"], "duration": "P8D"})).await;
        let body = json!({"ends_at": stage.world.now().plus_days(3)});
        Scene::of([stage.narrow(&grant, &body)]).and(Task::ExpireDue).later(DAY_MS)
    }
    ["ok", "job"] ["grant.narrowed"];
    ["ok", "job"] ["grant.expiring", "grant.narrowed"];

    FURTHER narrowing_meets_an_extension(stage) {
        let (_, grant) =
            stage.related(json!({"roles": ["directory_readers"], "duration": "P1D", "auto_extend": true})).await;
        let body = json!({"auto_extend": false});
        Scene::of([stage.narrow(&grant, &body)]).and(Task::ExpireDue).later(DAY_MS)
    }
    ["ok", "job"] ["grant.narrowed"];
    ["ok", "job"] ["grant.extended", "grant.narrowed"];

    FURTHER end_of_a_grant_meets_its_announcement(stage) {
        let (_, grant) = stage.related(json!({"roles": ["directory_readers"], "duration": "P8D"})).await;
        Scene::of([stage.end_grant(&grant)]).and(Task::ExpireDue).later(DAY_MS)
    }
    ["ok", "job"] ["grant.ended"];
    ["ok", "job"] ["grant.ended", "grant.expiring"];

    NAMED renew_meets_renew(stage) {
        let (_, id, _) = stage.open(Value::Null).await;
        Scene::of([stage.renew(&id), stage.renew(&id)])
    }
    ["ok", "ok"] ["invitation.renewed"];
    ["ok", "ok"] ["invitation.renewed", "invitation.renewed"];

    FURTHER renew_meets_cancel(stage) {
        let (_, id, _) = stage.open(Value::Null).await;
        Scene::of([stage.renew(&id), stage.cancel(&id)])
    }
    ["409 invalid_transition", "ok"] ["invitation.cancelled"];
    ["ok", "ok"] ["invitation.cancelled", "invitation.renewed"];

    FURTHER enrol_meets_create(stage) {
        let customer = stage.customer().await;
        Scene::of([stage.enrol(&customer), stage.create(&customer, Value::Null)])
    }
    ["ok", "ok"] ["invitation.created", "partner.enrolled"];
    ["ok", "403 customer_is_csp_tenant"] ["partner.enrolled"];

    NAMED enrol_meets_accept(stage) {
        let (customer, id, token) = stage.open(Value::Null).await;
        Scene::of([stage.enrol(&customer), accept(&id, &token)])
    }
    ["ok", "ok"] ["invitation.accepted", "partner.enrolled"];
    ["ok", "403 customer_is_csp_tenant"] ["partner.enrolled"];

    FURTHER enrol_meets_register(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        Scene::of([stage.enrol(&customer), stage.partner.register(&registration("one", &customer))])
    }
    ["ok", "ok"] ["partner.enrolled", "subscription.registered"];
    ["ok", "403 customer_is_csp_tenant"] ["partner.enrolled"];

    NAMED registrations_of_one_id_by_two_partners(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        let other = stage.world.partner().await;
        stage.world.relate(&other, &customer).await;
        Scene::of([&stage.partner, &other].map(|partner| partner.register(&registration("one", &customer))))
    }
    ["ok", "409 subscription_exists"] ["subscription.registered"];
    ["409 subscription_exists", "ok"] ["subscription.registered"];

    NAMED batch_meets_end(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        Scene::of([stage.batch(&customer, &["a", "b"]), stage.end(&customer)])
    }
    // All of the batch is registered, or nothing. Either way it has a result for each.
    ["ok", "ok"] ["relationship.ended", "subscription.registered", "subscription.registered"];
    ["ok", "ok"] ["relationship.ended"];

    NAMED batches_with_common_ids_register_each_id_once(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        Scene::of([stage.batch(&customer, &["a", "b", "c"]), stage.batch(&customer, &["d", "c", "b"])])
    }
    ["ok", "ok"] ["subscription.registered", "subscription.registered", "subscription.registered", "subscription.registered"];

    FURTHER batches_of_two_partners_register_each_id_once(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        let other = stage.world.partner().await;
        stage.world.relate(&other, &customer).await;
        let bodies = ["a", "b"].map(|id| registration(id, &customer));
        Scene::of([stage.batch(&customer, &["b", "c"]), other.register_batch(&bodies)])
    }
    ["ok", "ok"] ["subscription.registered", "subscription.registered", "subscription.registered"];

    FURTHER enrol_meets_a_batch(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        Scene::of([stage.enrol(&customer), stage.batch(&customer, &["a"])])
    }
    ["ok", "ok"] ["partner.enrolled", "subscription.registered"];
    ["ok", "ok"] ["partner.enrolled"];

    FURTHER imports_of_one_pair_make_one_relationship(stage) {
        let call = stage.world.import(&stage.partner, &stage.customer().await);
        Scene::of([call.clone(), call])
    }
    ["ok", "ok"] ["relationship.imported"];

    NAMED import_meets_create(stage) {
        let customer = stage.customer().await;
        Scene::of([stage.world.import(&stage.partner, &customer), stage.create(&customer, Value::Null)])
    }
    ["ok", "ok"] ["invitation.created", "relationship.imported"];
    ["ok", "409 relationship_active"] ["relationship.imported"];

    NAMED import_meets_accept(stage) {
        let (customer, id, token) = stage.open(Value::Null).await;
        Scene::of([stage.world.import(&stage.partner, &customer), accept(&id, &token)])
    }
    ["ok", "ok"] ["invitation.accepted"];
    ["ok", "409 invalid_transition"] ["relationship.imported"];

    FURTHER enrol_meets_import(stage) {
        let customer = stage.customer().await;
        Scene::of([stage.enrol(&customer), stage.world.import(&stage.partner, &customer)])
    }
    ["ok", "ok"] ["partner.enrolled", "relationship.imported"];
    ["ok", "403 customer_is_csp_tenant"] ["partner.enrolled"];

    FURTHER erase_meets_accept(stage) {
        let (_, id, token) = stage.open(Value::Null).await;
        Scene::of([stage.world.erase(&id), accept(&id, &token)])
    }
    ["ok", "ok"] ["invitation.accepted", "invitation.erased"];

    FURTHER erase_meets_renew(stage) {
        let (_, id, _) = stage.open(Value::Null).await;
        Scene::of([stage.world.erase(&id), stage.renew(&id).json(&json!({"message": "Hello"}))])
    }
    ["ok", "ok"] ["invitation.erased", "invitation.renewed"];

    FURTHER erase_meets_the_end_that_cancels_the_invitation(stage) {
        let (customer, _) = stage.related(Value::Null).await;
        let (id, _) = stage.invite(&customer, four_roles()).await;
        Scene::of([stage.world.erase(&id), stage.end(&customer)])
    }
    ["ok", "ok"] ["invitation.erased", "relationship.ended"];

    FURTHER erase_meets_expiry(stage) {
        let (_, id, _) = stage.for_a_day().await;
        Scene::of([stage.world.erase(&id)]).and(Task::ExpireDue).later(DAY_MS)
    }
    ["ok", "job"] ["invitation.erased", "invitation.expired"];

    FURTHER erasures_of_one_invitation_erase_once(stage) {
        let (_, id, _) = stage.open(Value::Null).await;
        let call = stage.world.erase(&id);
        Scene::of([call.clone(), call])
    }
    ["ok", "ok"] ["invitation.erased"];

    FURTHER suspend_meets_rename(stage) {
        let path = stage.path_of_partner().await;
        let rename = Call::new("PATCH", path.clone()).json(&json!({"name": "Fabrikam"}));
        Scene::of([stage.by_operator(Call::new("POST", format!("{path}/suspend"))), stage.by_operator(rename)])
    }
    ["ok", "ok"] ["partner.suspended", "partner.updated"];

    FURTHER rotate_meets_rotate(stage) {
        let path = stage.path_of_partner().await;
        let rotate = Call::post(format!("{path}/signing-secret/rotate"), &json!({"grace_hours": 1}));
        Scene::of([stage.by_operator(rotate.clone()), stage.by_operator(rotate)])
    }
    // Two rotations by the same operator in the same millisecond count as one.
    ["ok", "ok"] ["secret.rotated"];
    ["ok", "409 rotation_in_progress"] ["secret.rotated"];
    ["409 rotation_in_progress", "ok"] ["secret.rotated"];

    FURTHER concurrent_requests_for_a_key_issue_one(stage) {
        let body = json!({"principal": {"kind": "operator"}, "roles": [], "name": "same"});
        let call = stage.by_operator(Call::post("/v1/keys", &body).idempotency_key("same"));
        Scene::of([call.clone(), call])
    }
    ["ok", "ok"] ["key.issued"];
}

/// Number of concurrent requests.
const CROWD: usize = 200;

/// Sends all calls concurrently, with faults if the seed is odd. Then retries those with a retryable response other
/// than 429.
async fn crowd(stage: &Stage, calls: &[Call], seed: u64) -> Vec<Answer> {
    let sim = stage.world.sim();
    sim.faults.latency(seed, LATENCY);
    if seed % 2 == 1 {
        sim.faults.random(seed, 15);
    }
    let mut answers = join_all(calls.iter().map(|call| stage.world.send(call))).await;
    sim.faults.none();
    for (call, answer) in calls.iter().zip(&mut answers) {
        if answer.json()["retryable"] == true && answer.status != 429 {
            *answer = stage.world.send(call).await;
        }
    }
    answers
}

fn tally(answers: &[Answer]) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for answer in answers {
        let replayed = if answer.replayed() { " replayed" } else { "" };
        *tally
            .entry(format!("{} {}{replayed}", answer.status, answer.code()).replace("  ", " ").trim_end().to_owned())
            .or_default() += 1;
    }
    tally
}

/// Returns the types of the events that are not in `before`, and asserts that the table breaks no rule.
fn new_events(stage: &Stage, before: &BTreeMap<(String, String), String>) -> Vec<String> {
    let table = Table::of(stage.world.sim());
    assert_eq!(table.violations(stage.world.now(), 5), Vec::<String>::new());
    table.events().into_iter().filter(|(key, _)| !before.contains_key(key)).map(|(_, event)| event).collect()
}

#[tokio::test(start_paused = true)]
async fn exactly_one_of_two_hundred_concurrent_requests_wins() {
    let seeds = match from_env("STORE_SEED", u64::MAX) {
        u64::MAX if from_env("STORE_ROUNDS", NAMED) > NAMED => vec![2, 3],
        u64::MAX => vec![3],
        only => vec![only],
    };
    for seed in seeds {
        let stage = Stage::new(SimOptions::default()).await;
        let sim = stage.world.sim();
        let customer = stage.customer().await;
        let other = stage.world.partner().await;

        let same = vec![stage.create(&customer, four_roles()); CROWD];
        let different: Vec<Call> = (0..CROWD).map(|_| stage.create(&customer, four_roles())).collect();
        for (what, calls, losers) in
            [("creates under one key", same, "201 replayed"), ("creates", different, "409 invitation_pending")]
        {
            let (ready, before) = (sim.engine.snapshot(), Table::of(sim).events());
            let seen = tally(&crowd(&stage, &calls, seed).await);
            println!("{CROWD} {what}, seed {seed}: {seen:?}");
            assert_eq!(new_events(&stage, &before), ["invitation.created"], "seed {seed}");
            // After a lost response, the winner retries and receives a replay.
            assert_eq!(
                seen.keys().filter(|seen| !seen.starts_with("201") && **seen != losers).count(),
                0,
                "seed {seed}"
            );
            sim.engine.restore(&ready);
        }

        let (id, token) = stage.invite(&customer, four_roles()).await;
        let before = Table::of(sim).events();
        let accept = accept_by_link(&id, &token, &json!("as_requested"));
        let answers = crowd(&stage, &vec![accept; CROWD], seed).await;
        println!("{CROWD} accepts, seed {seed}: {:?}", tally(&answers));
        assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body), "seed {seed}");
        assert_eq!(new_events(&stage, &before), ["invitation.accepted"], "seed {seed}");

        stage.world.relate(&other, &customer).await;
        let before = Table::of(sim).events();
        let body = registration("One", &customer);
        let calls: Vec<Call> = (0..CROWD)
            .map(|at| if at % 2 == 0 { stage.partner.register(&body) } else { other.register(&body) })
            .collect();
        let answers = crowd(&stage, &calls, seed).await;
        println!("{CROWD} registrations by two partners, seed {seed}: {:?}", tally(&answers));
        let won = |answers: Vec<&Answer>| {
            let succeeded = answers.iter().filter(|answer| matches!(answer.status, 200 | 201)).count();
            let refused = answers.iter().filter(|answer| answer.code() == "subscription_exists").count();
            (succeeded, refused)
        };
        let halves = [won(answers.iter().step_by(2).collect()), won(answers.iter().skip(1).step_by(2).collect())];
        assert!(halves == [(CROWD / 2, 0), (0, CROWD / 2)] || halves == [(0, CROWD / 2), (CROWD / 2, 0)], "{halves:?}");
        assert_eq!(new_events(&stage, &before), ["subscription.registered"], "seed {seed}");
    }
}
