//! `demo`: the sample scenario, in which a customer gets a second partner. It runs over real HTTP against a system of its own,
//! with a clock that it moves itself. Every guarantee in it is checked.

mod clock;
mod ending;
mod error;
mod joining;
mod ledger;
mod link;
mod pages;
mod parties;
mod record;
mod refusals;
mod registry;
mod scenario;
mod signing_in;
mod tally;
mod waiting;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use self::error::{Broken, DemoError, Stop};
use self::scenario::{Out, Scenario};
use self::tally::Tally;

type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + 'a>>;

/// A part of the scenario. All parts end with the same guarantee.
struct Part {
    title: &'static str,
    run: for<'a> fn(&'a mut Scenario) -> Running<'a>,
}

const PARTS: &[Part] = &[
    Part { title: "Contoso buys Office 365 from Fabrikam", run: |s| Box::pin(joining::first_partner(s)) },
    Part {
        title: "Northwind invites Contoso and asks for two roles; its administrator signs in and grants one, for a shorter time",
        run: |s| Box::pin(joining::second_partner(s)),
    },
    Part {
        title: "Northwind registers Azure for Contoso, which also has Azure from Fabrikam",
        run: |s| Box::pin(joining::same_service(s)),
    },
    Part { title: "Northwind cannot access what belongs to Fabrikam", run: |s| Box::pin(refusals::no_access(s)) },
    Part {
        title: "Wingtip also sells: its sales tenant cannot be a customer, its office tenant can",
        run: |s| Box::pin(refusals::csp_tenant(s)),
    },
    Part { title: "Two partners in the US Government cloud", run: |s| Box::pin(refusals::us_government(s)) },
    Part { title: "Northwind's own system sends signed webhooks", run: |s| Box::pin(joining::webhooks(s)) },
    Part {
        title: "Contoso declines Wingtip's invitation; the next one expires and is renewed",
        run: |s| Box::pin(waiting::decline_and_expire(s)),
    },
    Part { title: "One role of Northwind expires, and Contoso ends another", run: |s| Box::pin(ending::grants(s)) },
    Part {
        title: "Contoso ends the relationship with Northwind, and later accepts a new invitation",
        run: |s| Box::pin(ending::relationship(s)),
    },
    Part { title: "The event log", run: |s| Box::pin(record::events(s)) },
];

/// Runs the scenario and prints it.
///
/// # Errors
/// [`DemoError`], unless every guarantee held.
pub async fn play(out: Out) -> Result<(), DemoError> {
    let began = Instant::now();
    let mut scenario = Scenario::open(out).await?;
    run(&mut scenario, PARTS).await?;
    let tally = &scenario.tally;
    let (held, broken) = (tally.held, tally.broken);
    let summary = Summary { tally, comparisons: scenario.ledger.comparisons, days: scenario.clock.day() };
    let summary = format!("{summary} Took {:.1} s.", began.elapsed().as_secs_f32());
    scenario.summarize(&summary)?;
    scenario.close().await;
    if broken > 0 { Err(Broken { broken, checked: held + broken }.into()) } else { Ok(()) }
}

async fn run(scenario: &mut Scenario, parts: &[Part]) -> Result<(), Stop> {
    scenario.introduce()?;
    for (number, part) in parts.iter().enumerate() {
        scenario.begin_part(number + 1, part.title)?;
        match (part.run)(scenario).await {
            Ok(()) => scenario.end_part().await?,
            // All later parts need this step, so the scenario ends here.
            Err(Stop::Step(failed)) => {
                scenario.check(&failed.to_string(), false)?;
                return scenario.end_part().await;
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
        match broken {
            0 => write!(f, "All {held} guarantees held.")?,
            _ => write!(f, "{broken} of {} guarantees did not hold.", held + broken)?,
        }
        let Self { comparisons, days, .. } = self;
        write!(f, " {days} days, {requests} HTTP requests, {changes} changes, {comparisons} subscriptions compared.")
    }
}

#[cfg(test)]
mod tests;
