//! Resident memory after many requests of one process.

use serde_json::json;

use super::Run;
use crate::contender::Command;
use crate::error::Result;
use crate::measure::{count, log};
use crate::process::Process;
use crate::report::{Table, number, say};
use crate::supply::subscription_body;

/// How many values are shown.
const STEPS: usize = 10;

/// The same registration again and again: each is a whole request with a transaction that is refused and replayed, and the table
/// does not grow.
pub fn run(run: &mut Run<'_>) -> Result<()> {
    let requests = run.options.memory_requests;
    let mut table = Table::new(&["register, replayed", "requests", "resident MB", "peak MB"]);
    let mut all = Vec::new();
    for build in run.builds.clone() {
        let Some(launch) = build.launch(Command::Register.function()) else { continue };
        let mut process = Process::start(&launch, &run.direct()?, &log(&run.options.output))?;
        let body = subscription_body(&run.supply.id("subscription"), &run.supply.customer);
        let event = run.supply.events.register(&run.supply.partners[0], &body)?;
        process.invoke(event.clone())?.expect("register", 201)?;
        let mut values = Vec::new();
        for done in 1..=requests {
            process.invoke(event.clone())?.expect("register again", 200)?;
            if done == 100 || done % requests.div_ceil(STEPS) == 0 || done == requests {
                let usage = process.usage();
                let [resident, peak] = [usage.resident, usage.peak].map(|kib| count(kib) / 1024.0);
                table.row(vec![build.label.clone(), done.to_string(), number(resident), number(peak)]);
                values.push(json!({"requests": done, "resident_mb": resident, "peak_mb": peak}));
            }
        }
        all.push(json!({"build": build.label, "values": values}));
    }
    run.json.insert("memory".into(), json!(all));
    table.print()?;
    say("Bound: ≤40 MB after 100 000 requests, flat.")
}
