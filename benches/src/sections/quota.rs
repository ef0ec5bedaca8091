//! Create with the share of a CPU that Lambda gives by memory. A starting function has a whole CPU.

use serde_json::{Value, json};

use super::Run;
use super::commands::subjects;
use crate::contender::Command;
use crate::error::Result;
use crate::measure::{Bench, Plan, Target, log};
use crate::quota::Quota;
use crate::report::{Table, median, number, say, spread, times};

const MEGABYTES: [u32; 3] = [128, 512, 1_769];
/// With a fourteenth of a CPU each request takes long.
const WARM: usize = 20;

pub fn run(run: &mut Run<'_>) -> Result<()> {
    let mut all = Vec::new();
    let mut table = Table::new(&[
        "create, engine by TLS",
        "MB",
        "first ms",
        "",
        "CPU of first ms",
        "warm p50 ms",
        "",
        "p99",
        "CPU per request ms",
    ]);
    for megabytes in MEGABYTES {
        let quota = match Quota::new(megabytes) {
            Ok(quota) => quota,
            Err(error) => {
                run.json.insert("quota".into(), json!(format!("not measured: {error}")));
                return say(&format!("not measured: no cgroup can be made to limit the CPU ({error})"));
            }
        };
        let mut subjects = subjects(run, Command::Create);
        let target = Target { variables: run.secure()?, proxy: Some(&run.tls) };
        let plan = Plan { rounds: run.options.rounds, warm: WARM.min(run.options.warm), cold: false };
        let log = log(&run.options.output);
        Bench { supply: &mut run.supply, target, plan, quota: Some(&quota), log }.run(&mut subjects)?;
        let Some(base) = subjects.first().map(|subject| subject.results.clone()) else { return Ok(()) };
        for subject in &subjects {
            let results = &subject.results;
            table.row(vec![
                subject.name.clone(),
                megabytes.to_string(),
                spread(&results.first),
                times(results.first.median(), base.first.median()),
                median(&results.first_cpu),
                spread(&results.warm_medians),
                times(results.warm_medians.median(), base.warm_medians.median()),
                number(results.warm.percentile(99.0)),
                median(&results.warm_cpu),
            ]);
            all.push(json!({"megabytes": megabytes, "name": subject.name, "results": results.to_json()}));
        }
    }
    run.json.insert("quota".into(), Value::Array(all));
    table.print()
}
