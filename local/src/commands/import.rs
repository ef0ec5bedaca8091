//! `import`: sends the lines of a CSV file.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use local::client::ClientError;
use local::import::{self, Kind, PATIENCE, Progress, Ran, Refused, Results, Server, Stop, rate};

use super::connection::Connection;
use crate::output::{self, Output};
use crate::signal;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "An import can be repeated: a second run of the same file changes nothing. docs/moving-in.md has the \
                        columns and the order in which to move a partner program."
)]
pub struct Import {
    /// What the file has.
    #[arg(value_name = "KIND")]
    kind: What,
    /// CSV file in UTF-8. The first line names the columns, in any order.
    file: PathBuf,
    /// Print what would happen with each line, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// New file for the result of each line; default: the name of the imported file with .results.csv, or the next free name.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    results: Option<PathBuf>,
    /// Requests at once.
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum What {
    /// With an operator's key: tenant_id, name, domain?, cloud, market
    Customers,
    /// With an operator's key, which attests them: partner_id, customer_tenant_id, since, external_reference?, state?
    Relationships,
    /// With a partner's key: customer_tenant_id, roles?, duration?, auto_extend?, message?, contact_email?,
    /// external_reference?, expires_in_days?
    Invitations,
    /// With a partner's key: subscription_id, customer_tenant_id, service, offer_id, quantity, billing_cycle, term,
    /// friendly_name?, external_reference?, started_on?, partner_of_record?
    Subscriptions,
}

/// Lines failed. The results say why.
#[derive(Debug, thiserror::Error)]
#[error("{failures} of {total} lines failed. {advice}")]
struct Failed {
    failures: u64,
    total: u64,
    advice: String,
}

pub async fn run(args: Import) -> Result<(), Box<dyn Error>> {
    let server = Server::new(args.connection.client()?, PATIENCE, offline);
    let kind = args.kind.into();
    let import = import::Import::check(kind, &args.file).map_err(Stop::from)?;
    let lines = import.lines();
    let ready = import.prepare(&server, args.parallel.into()).await.map_err(boxed)?;
    let stopped = signal::stop()?;
    if args.dry_run {
        // The lines on a terminal are progress enough.
        let mut progress = if io::stdout().is_terminal() { Progress::silent() } else { Progress::stderr(lines) };
        let mut out = Output::stdout();
        let ran = ready.rehearse(|row| Ok(out.line(&row.to_string())?), &mut progress, stopped).await;
        progress.clear();
        out.line(&format!("Nothing was changed. {} lines: {}.", ran.tally.total(), ran.tally))?;
        out.flush()?;
        return ended(ran, "Correct the file, and rehearse again.".to_owned());
    }
    let mut results = Results::create(kind, args.results.as_deref(), &args.file).map_err(Stop::from)?;
    let path = results.path().display().to_string();
    let mut progress = Progress::stderr(lines);
    let ran = ready.run(|row| Ok(results.add(row)?), &mut progress, stopped).await;
    progress.clear();
    results.finish().map_err(Stop::from)?;
    let (done, elapsed) = (ran.tally.total(), progress.elapsed());
    let mut out = Output::stdout();
    out.line(&format!(
        "{done} of {lines} lines in {:.1} s, {}: {}.",
        elapsed.as_secs_f64(),
        rate(done, elapsed),
        ran.tally
    ))?;
    out.line(&format!("Results: {path}"))?;
    out.flush()?;
    ended(ran, format!("See {path}"))
}

/// Says how long it waits, unless that is too short to notice.
fn offline(error: &ClientError, wait: Duration) {
    if wait >= Duration::from_secs(1) {
        output::warn(&format!("Offline: {error}. Trying again in {} s.", wait.as_secs()));
    }
}

fn ended(ran: Ran, advice: String) -> Result<(), Box<dyn Error>> {
    let (failures, total) = (ran.tally.failures(), ran.tally.total());
    match ran.stopped {
        Some(stop) => Err(boxed(stop)),
        None if failures > 0 => Err(Failed { failures, total, advice }.into()),
        None => Ok(()),
    }
}

/// What the service says is printed with what to do.
fn boxed(stop: Stop) -> Box<dyn Error> {
    match stop {
        Stop::Refused(Refused::Client(error)) => error.into(),
        stop => stop.into(),
    }
}

impl From<What> for Kind {
    fn from(what: What) -> Self {
        match what {
            What::Customers => Self::Customers,
            What::Relationships => Self::Relationships,
            What::Invitations => Self::Invitations,
            What::Subscriptions => Self::Subscriptions,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;
    use local::import::Kind;

    use super::What;

    #[test]
    fn the_help_of_each_kind_lists_its_columns() {
        for what in What::value_variants() {
            let help = what.to_possible_value().unwrap().get_help().unwrap().to_string();
            let columns = Kind::from(*what).columns();
            assert!(help.ends_with(&columns), "{help}\n{columns}");
        }
    }
}
