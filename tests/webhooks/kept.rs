//! Messages that wait for an endpoint. Once it is active, none of them waits any longer.

use domain::{EndpointId, WebhookId};
use platform::clock::Clock;
use platform::deadline::Deadline;
use platform::store::OpContext;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tests::{Receiver, Reply};

use crate::common::{Hook, Stage};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

impl Stage {
    async fn move_to(&self, hook: &Hook, url: &str) {
        let patch = self.endpoints("PATCH", &format!("/{}", hook.id)).json(&json!({"url": url}));
        assert_eq!(self.ask(patch).await.expect(200)["endpoint"]["state"], "pending");
    }

    /// The ids of the messages to an endpoint that are not finished.
    async fn unfinished(&self, hook: &Hook) -> Vec<Value> {
        let all = self.deliveries(hook).await.into_iter();
        all.filter(|one| one["state"] == "pending" && one["purpose"] != "challenge").collect()
    }
}

fn renamed(receiver: &Receiver) -> Vec<String> {
    receiver.of_type("partner.updated").into_iter().filter(|one| one.answered == 204).map(|one| one.id).collect()
}

#[tokio::test]
async fn messages_that_waited_for_a_corrected_url_arrive_at_once_and_in_order() {
    let stage = Stage::start().await;
    let hook = stage.pending(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(404));
    let right = Receiver::start().await;
    for wait in [12_000, 20 * MINUTE, 26 * HOUR] {
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(stage.event(&format!("Northwind {wait} {n}")).await);
            stage.settle_for(wait).await;
        }
        stage.move_to(&hook, right.url()).await;
        stage.settle().await;
        assert_eq!(stage.state(&hook).await, "active");
        assert_eq!(renamed(&right), ids, "after {wait} ms");
        right.take();
        let mistyped = format!("{}{wait}", hook.receiver.url());
        stage.move_to(&hook, &mistyped).await;
        stage.settle().await;
    }
}

#[tokio::test]
async fn retries_that_are_due_much_later_are_sent_at_once_to_a_new_url() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let id = stage.event("Northwind 2").await;
    stage.settle_for(20 * HOUR).await;
    let shown = stage.delivery(&hook, &id).await;
    assert!(shown["attempt"].as_u64() >= Some(5) && shown["next_at"].is_string(), "{shown}");
    let right = Receiver::start().await;
    stage.move_to(&hook, right.url()).await;
    stage.settle().await;
    assert_eq!(renamed(&right), [id]);
}

#[tokio::test]
async fn a_message_that_waits_shows_no_time() {
    let stage = Stage::start().await;
    let hook = stage.pending(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let id = stage.event("Northwind 2").await;
    stage.settle_for(20 * MINUTE).await;
    let shown = stage.delivery(&hook, &id).await;
    assert_eq!((&shown["state"], &shown["attempt"], shown.get("next_at")), (&json!("pending"), &json!(0), None));
}

/// A receiver is slow to fail. Meanwhile its endpoint gets another URL.
#[tokio::test]
async fn a_failure_at_the_old_url_does_not_delay_or_end_the_message() {
    for (status, wish) in [(500, None), (410, None), (500, Some("abort-message")), (500, Some("disable"))] {
        let stage = Stage::start().await;
        let hook = stage.active(json!(["partner.updated"])).await;
        let right = Receiver::start().await;
        let id = stage.event("Northwind 2").await;
        stage.courier().publish().await.expect("published");
        hook.receiver.answer(move |_, _| {
            let reply = Reply::status(status);
            wish.map_or(reply.clone(), |wish| reply.header("webhook-delivery", wish))
        });
        // The attempt begins before the change and is answered after it.
        hook.receiver.hold();
        let attempt = async { stage.courier().deliver().await };
        let change = async {
            hook.receiver.until_arrived(&id).await;
            stage.move_to(&hook, right.url()).await;
            hook.receiver.go_on();
        };
        let (delivered, ()) = tokio::join!(attempt, change);
        assert_eq!(delivered, 1);
        stage.settle().await;
        assert_eq!(stage.state(&hook).await, "active", "{status} {wish:?}");
        assert_eq!(renamed(&right), std::slice::from_ref(&id), "{status} {wish:?}");
        assert_eq!(stage.delivery(&hook, &id).await["attempt"], 1, "the attempt at the old URL is not counted");
    }
}

/// The old attempt answers 410 after the owner has asked for the message again.
#[tokio::test]
async fn a_late_answer_to_a_superseded_attempt_does_not_settle_the_new_one() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let id = stage.event("Northwind 2").await;
    let store = &stage.world.here().expect("here").0.app().store;
    let op = || OpContext {
        occurred_at: stage.clock().now(),
        deadline: Deadline::within(std::time::Duration::from_secs(9)),
    };
    stage.courier().publish().await.expect("published");
    hook.receiver.answer(|_, times| Reply::status(if times == 0 { 410 } else { 204 }));
    hook.receiver.hold();
    let attempt = async { stage.courier().deliver().await };
    let (webhook, endpoint) = (WebhookId::parse(&id).expect("an id"), EndpointId::parse(&hook.id).expect("an id"));
    let supersede = async {
        let resend = stage.endpoints("POST", &format!("/{}/resend", hook.id)).json(&json!({"event_id": id}));
        hook.receiver.until_arrived(&id).await;
        stage.ask(resend).await.expect(202);
        // The new round has as many attempts as the old one.
        let restarted = store.delivery(op(), &webhook, &endpoint).await.expect("read").expect("a delivery");
        let recipient = store.recipient(op(), &restarted.owner, &endpoint).await.expect("read").expect("a recipient");
        let soon = stage.clock().now().plus_millis(60_000);
        store.claim(op(), &restarted, recipient.period(), soon).await.expect("claimed").expect("a claim");
        hook.receiver.go_on();
    };
    let (delivered, ()) = tokio::join!(attempt, supersede);
    assert_eq!(delivered, 1);
    let shown = stage.delivery(&hook, &id).await;
    assert_eq!((&shown["state"], &shown["attempt"], shown.get("last_status")), (&json!("pending"), &json!(1), None));
    assert_eq!(stage.state(&hook).await, "active");
    stage.settle_for(2 * MINUTE).await;
    assert_eq!(stage.delivery(&hook, &id).await["state"], "delivered");
}

/// Something that happens to an endpoint.
#[derive(Clone, Copy, Debug)]
enum Step {
    Event,
    /// What the receiver answers from now on.
    Answer(u16),
    /// To the URL with this number.
    Move(u8),
    Disable,
    Activate,
    Test,
    ResendFailed,
    Suspend,
    Resume,
    /// Time passes without a delivery, as if the functions were slow.
    Pass(i64),
    /// Time passes, and what is due is done.
    Settle(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Event),
        3 => prop_oneof![Just(204_u16), Just(500), Just(404)].prop_map(Step::Answer),
        2 => (0..3_u8).prop_map(Step::Move),
        1 => Just(Step::Disable),
        2 => Just(Step::Activate),
        1 => Just(Step::Test),
        1 => Just(Step::ResendFailed),
        1 => Just(Step::Suspend),
        1 => Just(Step::Resume),
        2 => prop_oneof![Just(0_i64), Just(1_000), Just(12_000), Just(20 * MINUTE)].prop_map(Step::Pass),
        4 => prop_oneof![Just(0_i64), Just(8_000), Just(6 * MINUTE), Just(13 * HOUR)].prop_map(Step::Settle),
    ]
}

async fn take(stage: &Stage, hook: &Hook, step: Step) {
    let path = format!("/{}", hook.id);
    let send = |method: &str, rest: &str, body: Value| {
        stage.ask(stage.endpoints(method, &format!("{path}{rest}")).json(&body))
    };
    match step {
        Step::Event => {
            let name = json!({"name": format!("Northwind {}", stage.world.unique())});
            let path = format!("/v1/partners/{}", stage.partner.partner_id);
            stage.world.operator(tests::Call::new("PATCH", path).json(&name)).await.expect(200);
        }
        Step::Answer(status) => hook.receiver.answer(move |_, _| Reply::status(status)),
        Step::Move(n) => drop(send("PATCH", "", json!({"url": format!("{}{n}", hook.receiver.url())})).await),
        Step::Disable => drop(send("PATCH", "", json!({"state": "disabled"})).await),
        Step::Activate => drop(send("PATCH", "", json!({"state": "active"})).await),
        Step::Test => drop(send("POST", "/test", json!({})).await),
        Step::ResendFailed => drop(send("POST", "/resend", json!({"since": "2026-11-22T12:00:00Z"})).await),
        Step::Suspend => stage.suspend().await,
        Step::Resume => stage.resume().await,
        Step::Pass(ms) => stage.clock().advance_millis(ms),
        Step::Settle(ms) => stage.settle_for(ms).await,
    }
}

/// Makes the endpoint active in any case, with a receiver that works. Then nothing may wait.
async fn check(stage: &Stage, hook: &Hook) {
    hook.receiver.answer(|_, _| Reply::status(204));
    stage.resume().await;
    // The limits have room again, and a challenge under way is over. A retry that is due later must not be waited for.
    stage.clock().advance_millis(61 * MINUTE);
    let path = format!("/{}", hook.id);
    let body = json!({"url": format!("{}/right/{}", hook.receiver.url(), stage.world.unique()), "state": "active"});
    stage.ask(stage.endpoints("PATCH", &path).json(&body)).await.expect(200);
    stage.settle().await;
    assert_eq!(stage.state(hook).await, "active");
    let left = stage.unfinished(hook).await;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn once_an_endpoint_is_active_nothing_waits_after_any_history() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let stage = Stage::start().await;
    for _ in 0..10 {
        let steps = proptest::collection::vec(step(), 1..16).new_tree(&mut runner).expect("steps").current();
        let hook = stage.pending(json!(["partner.updated", "partner.suspended"])).await;
        for step in &steps {
            take(&stage, &hook, *step).await;
        }
        println!("{steps:?}");
        check(&stage, &hook).await;
        stage.ask(stage.endpoints("DELETE", &format!("/{}", hook.id))).await.expect(200);
        stage.clock().advance_millis(2 * HOUR);
        stage.settle().await;
    }
}
