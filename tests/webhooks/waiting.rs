//! Events while nobody publishes.

use crate::common::Stage;

#[tokio::test]
async fn what_waited_while_nothing_was_published_for_half_an_hour_arrives() {
    let stage = Stage::start().await;
    let hook = stage.active(serde_json::json!(["partner.renamed"])).await;
    let mut ids = Vec::new();
    for n in 0..30 {
        ids.push(stage.event(&format!("Northwind {n}")).await);
        stage.clock().advance_millis(60_000);
    }
    // The stream is gone; the sweep alone finds them.
    let local = stage.world.here().expect("here").0;
    local::jobs::run_once(local, &publish_events::JOB).await.expect("it runs");
    while stage.courier().deliver().await > 0 {}
    let arrived = hook.receiver.of_type("partner.renamed");
    assert_eq!(arrived.len(), ids.len() - 1, "the youngest is left to the stream");
    let mut numbers: Vec<u64> =
        arrived.iter().map(|one| one.json()["data"]["sequence"].as_u64().expect("a number")).collect();
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    stage.settle().await;
    assert_eq!(hook.receiver.of_type("partner.renamed").len(), ids.len());
}
