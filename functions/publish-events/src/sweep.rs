//! The scheduled run. It publishes items that the stream did not bring in time. It also sends a ticket for every delivery whose
//! next attempt is due or whose ticket counts as lost.

use std::collections::VecDeque;
use std::time::Duration;

use domain::Timestamp;
use platform::lambda::JobError;
use platform::metrics;
use platform::store::{Item, Marked, StoreError, Waiting};
use serde_json::{Value, json};

use crate::publish::publish as publish_item;
use crate::run::Run;

/// Items that are in the outbox for a shorter time are left to the stream.
const STREAM_DELAY: Duration = Duration::from_mins(2);
/// Items per page of a shard.
const PAGE: usize = 50;

#[derive(Default)]
struct Report {
    published: usize,
    failed: usize,
    oldest_mark_seconds: i64,
}

impl Report {
    /// The items of a page wait longest first.
    fn note_age(&mut self, page: &[Marked], now: Timestamp) {
        let since = page.first().and_then(|marked| Timestamp::parse_sortable(marked.since()));
        let seconds = since.map_or(0, |since| now.seconds() - since.seconds());
        self.oldest_mark_seconds = self.oldest_mark_seconds.max(seconds);
    }

    fn count(&mut self, items: usize, outcome: Result<(), JobError>) {
        match outcome {
            Ok(()) => self.published += items,
            Err(error) => {
                tracing::error!(items, %error, "items could not be published");
                self.failed += items;
            }
        }
    }
}

/// Publishes each shard oldest first, one page of each shard in turn, so that no shard waits for another. A failed item stays
/// in the outbox and does not block the others.
pub(crate) async fn publish(mut run: Run<'_>) -> Result<Value, JobError> {
    let mut report = Report::default();
    let mut shards: VecDeque<(Waiting, Option<Item>)> = Waiting::all().map(|shard| (shard, None)).collect();
    // A run without enough time for all shards must not skip the same ones every time.
    shards.rotate_left(usize::from(run.publisher.random.bytes()[0]) % shards.len());
    while let Some((shard, start)) = shards.pop_front() {
        if !run.budget.is_left() {
            break;
        }
        match publish_page(&mut run, shard, start, &mut report).await {
            Ok(None) => {}
            Ok(next) => shards.push_back((shard, next)),
            Err(error) => {
                tracing::error!(%error, "a shard of the outbox could not be read");
                report.failed += 1;
            }
        }
    }
    metrics::oldest_mark(report.oldest_mark_seconds);
    if report.failed > 0 {
        return Err(JobError::ItemsFailed(report.failed));
    }
    Ok(json!({"published": report.published}))
}

/// Publishes one page of a shard. Returns the start of the next page.
async fn publish_page(
    run: &mut Run<'_>,
    shard: Waiting,
    start: Option<Item>,
    report: &mut Report,
) -> Result<Option<Item>, StoreError> {
    let op = run.op();
    let until = match shard {
        Waiting::Outbox(_) => op.occurred_at - STREAM_DELAY,
        Waiting::Later(_) => op.occurred_at,
    };
    let page = run.publisher.store.waiting(op, shard, until, PAGE, start).await?;
    if matches!(shard, Waiting::Outbox(_)) {
        report.note_age(&page.items, op.occurred_at);
    }
    let (deliveries, others): (Vec<_>, Vec<_>) = page.items.into_iter().partition(|one| one.delivery().is_some());
    if !deliveries.is_empty() {
        report.count(deliveries.len(), run.make_tickets(&deliveries).await);
    }
    for marked in others {
        if !run.budget.is_left() {
            return Ok(None);
        }
        match marked.newer() {
            Some(item) => item.report(),
            None => report.count(1, publish_item(run, &marked).await),
        }
    }
    Ok(page.next)
}
