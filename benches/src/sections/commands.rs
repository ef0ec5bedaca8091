//! Create, accept and register, by every contender on the same engine.

use serde_json::{Value, json};

use super::Run;
use crate::contender::Command;
use crate::error::Result;
use crate::measure::{Bench, Plan, Subject, Target, log};
use crate::report::{Table, heading, median, number, spread, times};
use crate::supply::Feed;

pub fn run(run: &mut Run<'_>) -> Result<()> {
    for (name, tls) in [("HTTP", false), ("TLS", true)] {
        let mut all = Vec::new();
        for command in Command::ALL {
            heading(&format!("{}, engine by {name}", command.name()))?;
            let subjects = measure(run, command, tls)?;
            print(&subjects)?;
            let rows =
                subjects.iter().map(|subject| json!({"name": subject.name, "results": subject.results.to_json()}));
            all.push((command.name().to_owned(), Value::Array(rows.collect())));
        }
        run.json.insert(format!("commands_{}", name.to_lowercase()), Value::Object(all.into_iter().collect()));
    }
    Ok(())
}

fn measure(run: &mut Run<'_>, command: Command, tls: bool) -> Result<Vec<Subject>> {
    let mut subjects = subjects(run, command);
    let variables = if tls { run.secure()? } else { run.direct()? };
    let target = Target { variables, proxy: tls.then_some(&run.tls) };
    let plan = Plan { rounds: run.options.rounds, warm: run.options.warm, cold: true };
    let log = log(&run.options.output);
    Bench { supply: &mut run.supply, target, plan, quota: None, log }.run(&mut subjects)?;
    Ok(subjects)
}

/// Every contender that carries out the command.
pub(super) fn subjects(run: &Run<'_>, command: Command) -> Vec<Subject> {
    let status = if command == Command::Accept { 200 } else { 201 };
    let contenders = run.contenders.iter().filter_map(|contender| Some((contender, contender.launch(command)?)));
    let subject = |name: &str, launch: &crate::process::Launch| {
        Subject::new(name, launch.clone(), Feed::Command(command), Some(status))
    };
    contenders.map(|(contender, launch)| subject(&contender.name, launch)).collect()
}

/// All contenders, with ratios to the first.
fn print(subjects: &[Subject]) -> Result<()> {
    let mut table = Table::new(&[
        "",
        "start ms",
        "",
        "CPU until then ms",
        "",
        "first ms",
        "",
        "after caches expired ms",
        "warm p50 ms",
        "",
        "p99",
        "p99.9",
        "CPU per request ms",
        "",
        "MB",
        "",
        "calls first, cold, warm",
    ]);
    let Some(base) = subjects.first().map(|subject| &subject.results) else { return Ok(()) };
    for subject in subjects {
        let results = &subject.results;
        let ratio =
            |of: fn(&crate::measure::Results) -> &crate::stats::Sample| times(of(results).median(), of(base).median());
        table.row(vec![
            subject.name.clone(),
            spread(&results.start),
            ratio(|results| &results.start),
            median(&results.start_cpu),
            ratio(|results| &results.start_cpu),
            spread(&results.first),
            ratio(|results| &results.first),
            spread(&results.cold),
            spread(&results.warm_medians),
            ratio(|results| &results.warm_medians),
            number(results.warm.percentile(99.0)),
            number(results.warm.percentile(99.9)),
            median(&results.warm_cpu),
            ratio(|results| &results.warm_cpu),
            median(&results.memory),
            ratio(|results| &results.memory),
            [&results.first_calls, &results.cold_calls, &results.warm_calls].map(median).join(", "),
        ]);
    }
    table.print()
}
