//! What waits in the outbox for longer than the stream takes.

use std::collections::VecDeque;

use serde_json::{Value, json};
use shared::app::App;
use shared::lambda::{JobError, RunTime};
use shared::store::keys::OUTBOX_SHARDS;
use shared::store::{Item, StoreError};

use crate::publish::{Failure, Publisher};

/// What waits for less is left to the stream.
const PATIENCE_MS: i64 = 120_000;
/// One page of a shard.
const PAGE: usize = 50;

#[derive(Default)]
struct Report {
    published: usize,
    failed: usize,
}

/// Publishes everything, in each shard what waits longest first, a page of each shard in turn, so that no shard waits for
/// another; what fails stays and holds up nobody else.
pub(crate) async fn publish(app: &App, time: RunTime) -> Result<Value, JobError> {
    let mut report = Report::default();
    let mut publisher = Publisher::new(app, time);
    let mut shards: VecDeque<(u8, Option<Item>)> = (0..OUTBOX_SHARDS).map(|shard| (shard, None)).collect();
    // A run that is too short for all does not leave the same shards each time.
    shards.rotate_left(usize::from(app.random.bytes()[0] % OUTBOX_SHARDS));
    while let Some((shard, start)) = shards.pop_front() {
        if !time.is_left() {
            break;
        }
        match publish_page(&mut publisher, app, time, shard, start, &mut report).await {
            Ok(None) => {}
            Ok(next) => shards.push_back((shard, next)),
            Err(error) => {
                tracing::error!(%error, "the outbox could not be read");
                report.failed += 1;
            }
        }
    }
    if report.failed > 0 {
        return Err(JobError(format!("{} items failed and wait on", report.failed)));
    }
    Ok(json!({"published": report.published}))
}

/// Publishes a page of a shard; where to go on.
async fn publish_page(
    publisher: &mut Publisher<'_>,
    app: &App,
    time: RunTime,
    shard: u8,
    start: Option<Item>,
    report: &mut Report,
) -> Result<Option<Item>, StoreError> {
    let attempt = time.attempt(app);
    let until = attempt.occurred_at.plus_millis(-PATIENCE_MS);
    let page = app.store.outbox(attempt, shard, until, PAGE, start).await?;
    for marked in page.items {
        if !time.is_left() {
            return Ok(None);
        }
        match publisher.publish(&marked).await {
            Ok(()) => report.published += 1,
            Err(Failure(reason)) => {
                tracing::error!(item = marked.name(), reason, "an item could not be published");
                report.failed += 1;
            }
        }
    }
    Ok(page.next)
}
