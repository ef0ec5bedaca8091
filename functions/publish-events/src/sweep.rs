//! What waits in the outbox for longer than the stream takes, and deliveries that need a ticket: their next attempt is due, or
//! the ticket they had is lost.

use std::collections::VecDeque;
use std::time::Duration;

use platform::handler::App;
use platform::lambda::{JobError, RunBudget};
use platform::store::{Item, StoreError, Waiting};
use serde_json::{Value, json};

use crate::publish::{Failure, Publisher};

/// What waits in the outbox for less is left to the stream.
const PATIENCE: Duration = Duration::from_mins(2);
/// One page of a part.
const PAGE: usize = 50;

#[derive(Default)]
struct Report {
    published: usize,
    failed: usize,
}

impl Report {
    fn note(&mut self, items: usize, outcome: Result<(), Failure>) {
        match outcome {
            Ok(()) => self.published += items,
            Err(Failure(reason)) => {
                tracing::error!(items, reason, "what waits could not be published");
                self.failed += items;
            }
        }
    }
}

/// Publishes everything, in each part what waits longest first, a page of each part in turn, so that no part waits for
/// another; what fails stays and holds up nobody else.
pub(crate) async fn publish(app: &App, time: RunBudget) -> Result<Value, JobError> {
    let mut report = Report::default();
    let mut publisher = Publisher::new(app, time);
    let mut parts: VecDeque<(Waiting, Option<Item>)> = Waiting::all().map(|part| (part, None)).collect();
    // A run that is too short for all does not leave the same parts each time.
    parts.rotate_left(usize::from(app.random.bytes()[0]) % parts.len());
    while let Some((part, start)) = parts.pop_front() {
        if !time.is_left() {
            break;
        }
        match publish_page(&mut publisher, app, time, part, start, &mut report).await {
            Ok(None) => {}
            Ok(next) => parts.push_back((part, next)),
            Err(error) => {
                tracing::error!(%error, "what waits could not be read");
                report.failed += 1;
            }
        }
    }
    if report.failed > 0 {
        return Err(JobError(format!("{} items failed and wait on", report.failed)));
    }
    Ok(json!({"published": report.published}))
}

/// Publishes a page of a part; where to go on.
async fn publish_page(
    publisher: &mut Publisher<'_>,
    app: &App,
    time: RunBudget,
    part: Waiting,
    start: Option<Item>,
    report: &mut Report,
) -> Result<Option<Item>, StoreError> {
    let attempt = time.op(app);
    let until = match part {
        Waiting::Outbox(_) => attempt.occurred_at - PATIENCE,
        Waiting::Later(_) => attempt.occurred_at,
    };
    let page = app.store.waiting(attempt, part, until, PAGE, start).await?;
    let (deliveries, others): (Vec<_>, Vec<_>) = page.items.into_iter().partition(|one| one.delivery().is_some());
    if !deliveries.is_empty() {
        report.note(deliveries.len(), publisher.make_tickets(&deliveries).await);
    }
    for marked in others {
        if !time.is_left() {
            return Ok(None);
        }
        report.note(1, publisher.publish(&marked).await);
    }
    Ok(page.next)
}
