//! Every function with its first sample, connected to the engine without TLS.

use std::fs;

use serde_json::{Value, json};

use super::Run;
use crate::error::{BenchError, During, Result};
use crate::measure::{Bench, Plan, Subject, Target, log};
use crate::report::{Table, median, spread, times};
use crate::stats::Sample;
use crate::supply::Feed;

/// Warm requests of each process: the samples do not change what they read, or are rejected the second time.
const WARM: usize = 20;

pub fn run(run: &mut Run<'_>) -> Result<()> {
    let mut subjects = subjects(run)?;
    let target = Target { variables: run.direct()?, proxy: None };
    let plan = Plan { rounds: run.options.rounds, warm: WARM.min(run.options.warm), cold: false };
    let log = log(&run.options.output);
    Bench { supply: &mut run.supply, target, plan, quota: None, log }.run(&mut subjects)?;

    refuse_failures(&subjects)?;
    let floor = |of: fn(&Subject) -> &Sample| {
        subjects.first().filter(|_| run.hello.is_some()).map_or(0.0, |hello| of(hello).median())
    };
    let (start, cpu) = (floor(|hello| &hello.results.start), floor(|hello| &hello.results.start_main_cpu));
    let mut table = Table::new(&[
        "function",
        "start ms",
        "",
        "CPU of main thread ms",
        "",
        "page faults",
        "KiB read",
        "first ms",
        "warm ms",
        "MB",
        "answer",
    ]);
    for subject in &subjects {
        let results = &subject.results;
        table.row(vec![
            subject.name.clone(),
            spread(&results.start),
            times(results.start.median(), start),
            spread(&results.start_main_cpu),
            times(results.start_main_cpu.median(), cpu),
            median(&results.start_faults),
            median(&results.start_read),
            spread(&results.first),
            spread(&results.warm),
            median(&results.memory),
            results.answer.clone(),
        ]);
    }
    table.print()?;
    let rows = subjects.iter().map(|subject| json!({"name": subject.name, "results": subject.results.to_json()}));
    run.json.insert("starts".into(), Value::Array(rows.collect()));
    Ok(())
}

/// A function that fails measures nothing.
fn refuse_failures(subjects: &[Subject]) -> Result<()> {
    let status = |subject: &Subject| subject.results.answer.parse::<u16>().unwrap_or_default();
    match subjects.iter().find(|subject| status(subject) >= 500) {
        Some(failed) => Err(BenchError::Unexpected {
            what: failed.name.clone(),
            expected: "a status below 500".into(),
            got: failed.results.answer.clone(),
        }),
        None => Ok(()),
    }
}

fn subjects(run: &Run<'_>) -> Result<Vec<Subject>> {
    let hello =
        run.hello.iter().map(|launch| Subject::new("hello world", launch.clone(), Feed::Fixed(b"{}".to_vec()), None));
    let mut subjects: Vec<_> = hello.collect();
    for function in names(&run.options.root.join("events"))? {
        let samples = names(&run.options.root.join("events").join(&function))?;
        let sample = samples.first().map(|file| file.trim_end_matches(".json").to_owned()).unwrap_or_default();
        let event = run.supply.events.sample(&format!("{function}/{sample}"))?.to_string().into_bytes();
        for build in &run.builds {
            let Some(launch) = build.launch(&function) else { continue };
            let name = if run.builds.len() > 1 { format!("{function}, {}", build.label) } else { function.clone() };
            subjects.push(Subject::new(name, launch, Feed::Fixed(event.clone()), None));
        }
    }
    Ok(subjects)
}

/// The names in a folder, sorted.
fn names(folder: &std::path::Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).on(folder)?;
    let mut names: Vec<_> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    Ok(names)
}
