//! On a schedule: tells of invitations and grants whose time is over or near. Expiry itself needs no job, readers and
//! guards compute it; this only writes the events, each exactly once, and changes nothing else that anyone can observe.

use std::sync::Arc;
use std::time::Duration;

use domain::{Actor, Event, EventType, Grant, GrantNotice, Invitation, Occurrence, Timestamp};
use platform::config::Needs;
use platform::handler::App;
use platform::lambda::{Invocation, Job, JobError, RunBudget};
use platform::store::{Due, StoreError, keys::DUE_SHARDS};
use serde_json::{Value, json};

const NAME: &str = "expire-due";

/// The job.
pub const JOB: Job =
    Job { name: NAME, needs: Needs::NOTHING, run: |app, _, invocation| Box::pin(run(app, invocation)) };

/// One page of a shard.
const PAGE: usize = 50;
/// Items in one run at most; what is left stays due for the next.
const MOST: usize = 2_000;
/// Time that is kept for finishing an item.
const RESERVE: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Report {
    announced: usize,
    skipped: usize,
    unreadable: usize,
    failed: usize,
}

async fn run(app: Arc<App>, invocation: Invocation) -> Result<Value, JobError> {
    let time = invocation.time(RESERVE);
    let mut report = Report::default();
    for shard in 0..DUE_SHARDS {
        if let Err(error) = work_off(&app, shard, time, &mut report).await {
            report.fail(&error);
        }
    }
    if report.failed > 0 {
        return Err(JobError(format!("{} items failed and stay due", report.failed)));
    }
    Ok(json!({"announced": report.announced, "skipped": report.skipped, "unreadable": report.unreadable}))
}

/// Works off one shard, oldest first, until it is empty or the run is over. What fails stays due and holds up nobody else.
async fn work_off(app: &App, shard: u8, time: RunBudget, report: &mut Report) -> Result<(), StoreError> {
    let mut start = None;
    loop {
        let page = app.store.due(time.op(app), shard, PAGE, start).await?;
        for due in page.items {
            if !time.is_left() || report.announced >= MOST {
                return Ok(());
            }
            let announced = match due {
                Due::Invitation(invitation) => expire_invitation(app, time, &invitation).await.map(usize::from),
                Due::Grant(grant, at) => announce_grant(app, time, *grant, at).await,
                Due::Unreadable(error) => {
                    tracing::error!(%error, "due item skipped");
                    report.unreadable += 1;
                    continue;
                }
            };
            match announced {
                Ok(announced) => report.count(announced),
                Err(error) => report.fail(&error),
            }
        }
        start = page.next;
        if start.is_none() {
            return Ok(());
        }
    }
}

impl Report {
    fn fail(&mut self, error: &StoreError) {
        tracing::error!(%error, "due work failed");
        self.failed += 1;
    }

    fn count(&mut self, announced: usize) {
        self.announced += announced;
        self.skipped += usize::from(announced == 0);
    }
}

async fn expire_invitation(app: &App, time: RunBudget, invitation: &Invitation) -> Result<bool, StoreError> {
    let attempt = time.op(app);
    let policy_version = app.policy.at(attempt.occurred_at).version;
    let actor = Actor::system(NAME);
    let occurrence = Occurrence { at: attempt.occurred_at, actor: &actor, policy_version };
    let data = [("expired_at", json!(invitation.expires_at))];
    let event = invitation.event(EventType::InvitationExpired, occurrence, data);
    app.store.announce_invitation(attempt, invitation, &event).await
}

/// Announces everything that was due of a grant by now, one notice after the other; the number of notices.
async fn announce_grant(app: &App, time: RunBudget, mut grant: Grant, mut due: Timestamp) -> Result<usize, StoreError> {
    let mut announced = 0;
    loop {
        let attempt = time.op(app);
        let Some(notice) = grant.notice_at(due) else { return Ok(announced) };
        let event = grant_event(app, &grant, attempt.occurred_at, due, notice);
        if !app.store.announce_grant(attempt, &grant, due, &event).await? {
            return Ok(announced);
        }
        announced += 1;
        grant.chain = event.chain_after(&grant.chain.hash);
        match grant.next_notice(due) {
            Some((next, _)) if next <= attempt.occurred_at => due = next,
            _ => return Ok(announced),
        }
    }
}

fn grant_event(app: &App, grant: &Grant, now: Timestamp, due: Timestamp, notice: GrantNotice) -> Event {
    let actor = Actor::system(NAME);
    let occurrence = Occurrence { at: now, actor: &actor, policy_version: app.policy.at(now).version };
    match notice {
        GrantNotice::Expiring(days) => {
            let data = [("days", json!(days)), ("ends_at", json!(grant.ends_at(due)))];
            grant.event(EventType::GrantExpiring, occurrence, data)
        }
        GrantNotice::Expired => grant.event(EventType::GrantExpired, occurrence, [("ended_at", json!(due))]),
        GrantNotice::Extended => {
            let data = [("extended_at", json!(due)), ("ends_at", json!(grant.ends_at(due)))];
            grant.event(EventType::GrantExtended, occurrence, data)
        }
    }
}
