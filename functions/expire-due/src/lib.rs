//! Announces invitations and grants that have expired or expire soon. A schedule invokes it. Expiry itself needs no job: reads
//! and conditions compute it from the current time. This job only writes the events, each exactly once.

mod announce;
mod announcer;

pub use announcer::Announcer;

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use platform::config::Needs;
use platform::lambda::{Invocation, Job, JobError, RunBudget};
use platform::metrics;
use platform::store::{Due, StoreError, keys::SHARDS};
use serde_json::{Value, json};

use crate::announce::{announce_grant, announce_invitation};
use crate::announcer::NAME;

/// It ignores its event.
pub const JOB: Job<Announcer> =
    Job { name: NAME, needs: Needs::NOTHING, run: |announcer, _, invocation| Box::pin(run(announcer, invocation)) };

/// Items per page of a shard.
const PAGE: usize = 50;
/// The most events of one run. The other items stay due for the next run.
const MAX_ANNOUNCED: usize = 2_000;
/// The time kept for finishing an item.
const RESERVE: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Report {
    announced: usize,
    skipped: usize,
    unreadable: usize,
    failed: usize,
}

impl Report {
    fn count(&mut self, announced: Result<usize, StoreError>) {
        match announced {
            Ok(announced) => {
                self.announced += announced;
                self.skipped += usize::from(announced == 0);
            }
            Err(error) => {
                tracing::error!(%error, "a due item could not be announced");
                self.failed += 1;
            }
        }
    }
}

async fn run(announcer: Arc<Announcer>, invocation: Invocation) -> Result<Value, JobError> {
    let budget = invocation.budget(RESERVE);
    let mut report = Report::default();
    for shard in shards(announcer.clock.now()) {
        if let Err(error) = announce_shard(&announcer, shard, budget, &mut report).await {
            tracing::error!(%error, shard, "a shard of due items could not be read");
            report.failed += 1;
        }
    }
    metrics::heartbeat(NAME);
    if report.failed > 0 {
        return Err(JobError::ItemsFailed(report.failed));
    }
    Ok(json!({"announced": report.announced, "skipped": report.skipped, "unreadable": report.unreadable}))
}

/// All shards, from another one every minute: a run without enough time for all must not skip the same ones every time.
fn shards(now: Timestamp) -> impl Iterator<Item = u8> {
    let minutes = now.seconds() / 60;
    let first = u8::try_from(minutes.rem_euclid(i64::from(SHARDS))).unwrap_or_default();
    (first..SHARDS).chain(0..first)
}

/// Announces the items of one shard, oldest first, until it is empty or the run is over. A failed item stays due and does not
/// block the others.
async fn announce_shard(
    announcer: &Announcer,
    shard: u8,
    budget: RunBudget,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut start = None;
    loop {
        let page = announcer.store.due(announcer.op(budget), shard, PAGE, start).await?;
        for due in page.items {
            if !budget.is_left() || report.announced >= MAX_ANNOUNCED {
                return Ok(());
            }
            match due {
                Due::Invitation(invitation) => report.count(announce_invitation(announcer, budget, &invitation).await),
                Due::Grant(grant, at) => report.count(announce_grant(announcer, budget, *grant, at).await),
                Due::Unreadable(item) => {
                    item.report();
                    report.unreadable += 1;
                }
            }
        }
        start = page.next;
        if start.is_none() {
            return Ok(());
        }
    }
}
