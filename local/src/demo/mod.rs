//! `demo`: the story of a second partner, told in the words of the field. It is played over real HTTP against a system of its
//! own, on a clock that it moves itself, and every guarantee in it is a check.

mod cast;
mod clock;
mod ending;
mod joining;
mod ledger;
mod record;
mod refusals;
mod stage;
#[cfg(test)]
mod tests;
mod waiting;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use self::stage::{Stage, Tally};

pub use self::stage::{Out, Stop};

type Playing<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + 'a>>;

/// A part of the story, with a guarantee at its end that all parts share.
struct Chapter {
    title: &'static str,
    play: for<'a> fn(&'a mut Stage) -> Playing<'a>,
}

const CHAPTERS: &[Chapter] = &[
    Chapter {
        title: "Contoso buys Office 365 through Fabrikam",
        play: |stage| Box::pin(joining::first_partner(stage)),
    },
    Chapter {
        title: "Northwind invites Contoso and asks for two roles; Contoso grants one, for a shorter time",
        play: |stage| Box::pin(joining::second_partner(stage)),
    },
    Chapter {
        title: "Northwind registers Azure for Contoso, beside Fabrikam's Azure",
        play: |stage| Box::pin(joining::same_service(stage)),
    },
    Chapter { title: "Northwind can't touch what is Fabrikam's", play: |stage| Box::pin(refusals::hands_off(stage)) },
    Chapter {
        title: "Wingtip sells, too: the tenant it sells from can't be a customer, its office can",
        play: |stage| Box::pin(refusals::csp_tenant(stage)),
    },
    Chapter { title: "The same in US Government", play: |stage| Box::pin(refusals::us_government(stage)) },
    Chapter { title: "Northwind's own system sends signed webhooks", play: |stage| Box::pin(joining::webhooks(stage)) },
    Chapter {
        title: "Contoso says no to Wingtip; then nobody answers, until the link is renewed",
        play: |stage| Box::pin(waiting::no_and_late(stage)),
    },
    Chapter {
        title: "Northwind's role ends by itself, and another one is ended",
        play: |stage| Box::pin(ending::grants(stage)),
    },
    Chapter { title: "Contoso leaves Northwind, and comes back", play: |stage| Box::pin(ending::relationship(stage)) },
    Chapter { title: "What is on record", play: |stage| Box::pin(record::events(stage)) },
];

/// Some guarantees did not hold.
#[derive(Debug, thiserror::Error)]
#[error("{broken} of {checked} guarantees did not hold")]
pub struct Broken {
    broken: usize,
    checked: usize,
}

/// Why there is no good end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The story could not be played.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// It was played, and something in it is not as it should be.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// Plays the story and tells it.
///
/// # Errors
/// [`DemoError`], unless every guarantee held.
pub async fn play(out: Out) -> Result<(), DemoError> {
    let began = Instant::now();
    let mut stage = Stage::open(out).await?;
    tell(&mut stage, CHAPTERS).await?;
    let summary = Summary { tally: &stage.tally, comparisons: stage.ledger.comparisons, days: stage.clock.day() };
    let summary = format!("{summary} Played in {:.1} s.", began.elapsed().as_secs_f32());
    let (held, broken) = (stage.tally.held, stage.tally.broken);
    stage.sum_up(&summary)?;
    stage.close().await;
    if broken > 0 { Err(Broken { broken, checked: held + broken }.into()) } else { Ok(()) }
}

async fn tell(stage: &mut Stage, chapters: &[Chapter]) -> Result<(), Stop> {
    stage.introduce()?;
    for (number, chapter) in chapters.iter().enumerate() {
        stage.begin(number + 1, chapter.title)?;
        match (chapter.play)(stage).await {
            Ok(()) => stage.end().await?,
            // Whatever comes later stands on it, so this is where the story ends.
            Err(Stop::Step(what)) => {
                stage.check(&what, false)?;
                return stage.end().await;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

struct Summary<'a> {
    tally: &'a Tally,
    comparisons: usize,
    days: i64,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { held, broken, requests, changes } = self.tally;
        let verdict = if *broken == 0 {
            format!("All {held} guarantees held.")
        } else {
            format!("{broken} of {} guarantees did not hold.", held + broken)
        };
        let Self { comparisons, days, .. } = self;
        write!(
            f,
            "{verdict} {days} days, {requests} HTTP requests, {changes} changes, {comparisons} comparisons of a \
             subscription with itself."
        )
    }
}
