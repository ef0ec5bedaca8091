//! Runs an import: several requests at once, results in the order of the tasks.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;

use super::error::FileError;
use super::progress::Progress;
use super::row::{Row, Tally};
use super::server::Refused;
use super::tasks::{Task, Tasks};

const TICK: Duration = Duration::from_millis(200);
/// How long an interrupted import waits for the requests under way. A server that is gone would make it wait for longer.
const GRACE: Duration = Duration::from_secs(10);

/// Why an import stopped before the end. Lines whose results were reported are complete; running it again does the rest.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("cannot print: {0}")]
    Output(#[from] std::io::Error),
    #[error("interrupted. Run the same command again to do the rest")]
    Interrupted,
}

/// An import that ended or stopped.
#[derive(Debug)]
pub struct Ran {
    pub tally: Tally,
    pub stopped: Option<Stop>,
}

/// Performs all tasks, at most `parallel` at once. After a stop the requests that are under way are still awaited.
pub async fn run<D>(
    mut tasks: Tasks,
    parallel: usize,
    perform: impl Fn(Task) -> D,
    mut report: impl FnMut(&Row) -> Result<(), Stop>,
    progress: &mut Progress,
    interrupt: impl Future<Output = ()>,
) -> Ran
where
    D: Future<Output = Result<Vec<Row>, Refused>>,
{
    let mut interrupt = pin!(interrupt);
    let (mut tally, mut stopped, mut interrupted) = (Tally::default(), None, None);
    let mut running = FuturesOrdered::new();
    let mut tick = tokio::time::interval(TICK);
    loop {
        while running.len() < parallel && stopped.is_none() {
            match tasks.next() {
                Ok(Some(task)) => running.push_back(perform(task)),
                Ok(None) => break,
                Err(error) => stopped = Some(error.into()),
            }
        }
        let done = tokio::select! {
            done = running.next() => done,
            () = &mut interrupt, if stopped.is_none() => {
                stopped = Some(Stop::Interrupted);
                interrupted = Some(Instant::now());
                continue;
            }
            _ = tick.tick() => {
                progress.tick();
                if interrupted.is_some_and(|since: Instant| since.elapsed() > GRACE) {
                    return Ran { tally, stopped };
                }
                continue;
            }
        };
        match done {
            None => return Ran { tally, stopped },
            Some(Err(refused)) => drop(stopped.get_or_insert(refused.into())),
            Some(Ok(rows)) => {
                for row in &rows {
                    tally.add(row.outcome);
                    progress.add(row.outcome.is_failure());
                    if let Err(stop) = report(row) {
                        stopped.get_or_insert(stop);
                    }
                }
            }
        }
    }
}
