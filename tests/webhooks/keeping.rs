//! Deliveries that wait for long are kept in the table, not in the shared queue.

use domain::Timestamp;
use platform::clock::Clock;
use serde_json::json;
use tests::Reply;

use crate::common::{Hook, Stage};

const MINUTE: i64 = 60_000;

impl Stage {
    /// The times when deliveries in the table need a ticket, sorted.
    async fn kept(&self) -> Vec<Timestamp> {
        let table = self.world.table().await;
        let text = |value: &aws_sdk_dynamodb::types::AttributeValue| value.as_s().expect("a string").clone();
        let later = table.values().filter(|item| item.get("gsi3pk").is_some_and(|pk| text(pk).starts_with("LATER#")));
        let mut kept: Vec<_> =
            later.map(|item| Timestamp::parse_sortable(&text(&item["gsi3sk"])).expect("a time")).collect();
        kept.sort();
        kept
    }

    async fn sent(&self, hook: &Hook, id: &str) -> usize {
        self.settle().await;
        hook.receiver.arrived().iter().filter(|arrived| arrived.id == id).count()
    }
}

#[tokio::test]
async fn the_fourth_attempt_waits_in_the_table_until_it_is_due() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let id = stage.event("Northwind 2").await;
    assert_eq!(stage.sent(&hook, &id).await, 1);
    let delivery = stage.delivery(&hook, &id).await;
    let due = Timestamp::parse(delivery["next_at"].as_str().expect("a time")).expect("a time");
    assert_eq!(stage.courier().queue.next_visible(), Some(due), "the queue keeps a wait of 5 s");
    assert_eq!(stage.kept().await, [due.plus_millis(60 * MINUTE)]);
    stage.settle_for(7 * MINUTE).await;
    let delivery = stage.delivery(&hook, &id).await;
    assert_eq!(delivery["attempt"], json!(3));
    let due = stage.kept().await;
    assert_eq!(stage.courier().queue.len(), 0, "the table keeps a wait of half an hour");
    let text = json!(due[0]);
    assert_eq!((due.len(), &delivery["next_at"]), (1, &text));
    stage.clock().advance_millis(due[0].millis() - stage.clock().now().millis() - 1);
    assert_eq!(stage.sent(&hook, &id).await, 3);
    stage.clock().advance_millis(1);
    hook.receiver.answer(|_, _| Reply::status(204));
    assert_eq!(stage.sent(&hook, &id).await, 4);
    assert_eq!(stage.delivery(&hook, &id).await["state"], "delivered");
    assert_eq!((stage.courier().queue.len(), stage.kept().await.len()), (0, 0));
}

#[tokio::test]
async fn an_old_ticket_or_record_of_a_waiting_delivery_changes_nothing() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let id = stage.event("Northwind 2").await;
    stage.settle_for(7 * MINUTE).await;
    let before = stage.world.table().await;
    // A new ticket for every unfinished delivery. That of this delivery comes too early.
    assert_eq!(stage.courier().rebuild().await.expect("the queue is rebuilt"), 1);
    stage.settle().await;
    assert!(stage.courier().queue.is_empty());
    let record = json!({"Records": [{
        "eventName": "MODIFY",
        "dynamodb": {"SequenceNumber": "1", "Keys": {"pk": {"S": format!("DELIVERY#{id}")}, "sk": {"S": hook.id}}},
    }]});
    let invocation = platform::lambda::Invocation { id: "test".into(), remaining: std::time::Duration::from_secs(30) };
    let publisher = stage.courier().publisher.clone();
    let answer =
        platform::lambda::run_job(publisher, &publish_events::JOB, record.to_string().into_bytes(), invocation).await;
    assert_eq!(answer.expect("an answer"), json!({"batchItemFailures": []}));
    assert!(stage.courier().queue.is_empty(), "only the outbox is published at once");
    assert!(stage.world.table().await == before);
}

#[tokio::test]
async fn a_lost_ticket_is_replaced_after_an_hour() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let id = stage.event("Northwind 2").await;
    stage.courier().publish().await.expect("published");
    let received = stage.courier().queue.receive(1).remove(0);
    stage.courier().queue.delete(&received);
    stage.clock().advance_millis(60 * MINUTE - 1);
    assert_eq!(stage.sent(&hook, &id).await, 0);
    stage.clock().advance_millis(1);
    assert_eq!(stage.sent(&hook, &id).await, 1);
    assert_eq!((stage.courier().queue.len(), stage.kept().await.len()), (0, 0));
}

#[tokio::test]
async fn deliveries_to_a_pending_endpoint_are_checked_at_growing_intervals_and_sent_once_it_is_active() {
    let stage = Stage::start().await;
    let hook = stage.pending(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let id = stage.event("Northwind 2").await;
    let began = stage.clock().now().millis();
    stage.settle().await;
    let mut looks = Vec::new();
    for _ in 0..16 {
        let kept = stage.kept().await;
        let minutes = kept.iter().map(|at| (at.millis() - began) / MINUTE);
        looks.extend(minutes.filter(|minutes| [60, 120, 240].contains(minutes)));
        stage.settle_for(15 * MINUTE).await;
    }
    looks.dedup();
    assert_eq!(looks, [60, 120, 240]);
    hook.receiver.answer(|_, _| Reply::status(204));
    stage.ask(stage.endpoints("POST", &format!("/{}/test", hook.id))).await.expect(202);
    assert_eq!(stage.sent(&hook, &id).await, 1);
    assert_eq!(stage.delivery(&hook, &id).await["state"], "delivered");
}

#[tokio::test]
async fn deliveries_to_an_endpoint_that_is_never_activated_wait_without_a_ticket() {
    let stage = Stage::start().await;
    let hook = stage.pending(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let id = stage.event("Northwind 2").await;
    stage.settle_for(100 * 60 * MINUTE).await;
    assert_eq!(stage.state(&hook).await, "pending");
    assert_eq!(stage.delivery(&hook, &id).await["state"], "pending");
    assert_eq!((stage.courier().queue.len(), stage.kept().await.len()), (0, 1));
    stage.ask(stage.endpoints("DELETE", &format!("/{}", hook.id))).await.expect(200);
    stage.settle_for(30 * 24 * 60 * MINUTE).await;
    assert_eq!((stage.courier().queue.len(), stage.kept().await.len()), (0, 0));
}

/// The table deletes a message and its deliveries one after the other.
#[tokio::test]
async fn a_delivery_without_its_message_ends_and_cannot_be_resent() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let (pending, failed) = (stage.event("Northwind 1").await, stage.event("Northwind 2").await);
    stage.settle().await;
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let local = stage.world.here().expect("here").0;
    for id in [&pending, &failed] {
        let delete = local.client().delete_item().table_name(local.table());
        delete.key("pk", text(&format!("DELIVERY#{id}"))).key("sk", text("MESSAGE")).send().await.expect("deleted");
    }
    let resend = |body| stage.ask(stage.endpoints("POST", &format!("/{}/resend", hook.id)).json(&body));
    resend(json!({"event_id": failed})).await.refused(422, "validation_failed");
    stage.settle_for(10 * MINUTE).await;
    for id in [&pending, &failed] {
        assert_eq!(stage.delivery(&hook, id).await["state"], "aborted");
    }
    assert_eq!(resend(json!({"since": "2026-11-22T12:00:00Z"})).await.expect(202), json!({"resent": 0}));
    assert_eq!((stage.courier().queue.len(), stage.kept().await.len()), (0, 0));
}
