//! Measures one process after the other, in rounds: A B C A B C. So what else the machine does meets all contenders alike.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::error::{BenchError, Result};
use crate::process::{Answer, Launch, Process};
use crate::proxy::{Call, Proxy};
use crate::quota::Quota;
use crate::stats::Sample;
use crate::supply::{Feed, Supply};

/// Where functions reach the table.
pub struct Target<'a> {
    pub variables: Vec<(String, String)>,
    /// What counts the calls; `None` if functions are connected to the engine itself.
    pub proxy: Option<&'a Proxy>,
}

impl Target<'_> {
    fn take_calls(&self) -> Vec<Call> {
        self.proxy.map(Proxy::take_calls).unwrap_or_default()
    }
}

/// One row of a table.
pub struct Subject {
    pub name: String,
    pub launch: Launch,
    pub feed: Feed,
    /// The status that each answer must have; `None` if any will do.
    pub status: Option<u64>,
    pub results: Results,
}

impl Subject {
    pub fn new(name: impl Into<String>, launch: Launch, feed: Feed, status: Option<u64>) -> Self {
        Self { name: name.into(), launch, feed, status, results: Results::default() }
    }
}

/// All times are in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// From exec to the first request for an event.
    pub start: Sample,
    /// CPU time until then, of the main thread and of all threads.
    pub start_main_cpu: Sample,
    pub start_cpu: Sample,
    pub start_faults: Sample,
    /// KiB that were read until then.
    pub start_read: Sample,
    pub first: Sample,
    /// CPU time of the first request.
    pub first_cpu: Sample,
    /// Requests of partners that the process does not know yet.
    pub cold: Sample,
    /// CPU time of each of them.
    pub cold_cpu: Sample,
    pub warm: Sample,
    /// The median of each round, for the spread.
    pub warm_medians: Sample,
    /// CPU time per warm request.
    pub warm_cpu: Sample,
    /// Peak resident memory in MB.
    pub memory: Sample,
    pub first_calls: Sample,
    pub cold_calls: Sample,
    pub warm_calls: Sample,
    /// The time of the calls of one warm request, without the function.
    pub warm_table: Sample,
    /// The operations of the first request.
    pub first_operations: Vec<String>,
    pub answer: String,
}

impl Results {
    pub fn to_json(&self) -> Value {
        let all = [
            ("start_ms", &self.start),
            ("start_main_thread_cpu_ms", &self.start_main_cpu),
            ("start_cpu_ms", &self.start_cpu),
            ("start_page_faults", &self.start_faults),
            ("start_read_kib", &self.start_read),
            ("first_ms", &self.first),
            ("first_cpu_ms", &self.first_cpu),
            ("cold_ms", &self.cold),
            ("cold_cpu_ms", &self.cold_cpu),
            ("warm_ms", &self.warm),
            ("warm_medians_of_rounds_ms", &self.warm_medians),
            ("warm_cpu_ms", &self.warm_cpu),
            ("peak_resident_mb", &self.memory),
            ("first_calls", &self.first_calls),
            ("cold_calls", &self.cold_calls),
            ("warm_calls", &self.warm_calls),
            ("warm_table_ms", &self.warm_table),
        ];
        let known = all.into_iter().filter(|(_, sample)| !sample.is_empty());
        let mut object: serde_json::Map<_, _> =
            known.map(|(name, sample)| (name.to_owned(), sample.to_json())).collect();
        object.insert("first_operations".to_owned(), json!(self.first_operations));
        object.insert("answer".to_owned(), json!(self.answer));
        Value::Object(object)
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub rounds: usize,
    /// Warm requests in each round.
    pub warm: usize,
    /// Whether each process gets requests of partners that it does not know.
    pub cold: bool,
}

pub struct Bench<'a> {
    pub supply: &'a mut Supply,
    pub target: Target<'a>,
    pub plan: Plan,
    /// Applied after the start, because Lambda gives a starting function a whole CPU.
    pub quota: Option<&'a Quota>,
    pub log: PathBuf,
}

impl Bench<'_> {
    /// Measures all subjects in every round.
    ///
    /// # Errors
    /// If one of them does not do what it should.
    pub fn run(&mut self, subjects: &mut [Subject]) -> Result<()> {
        for _ in 0..self.plan.rounds {
            for subject in &mut *subjects {
                self.measure(subject)?;
            }
        }
        Ok(())
    }

    fn measure(&mut self, subject: &mut Subject) -> Result<()> {
        self.supply.prepare(&subject.feed, self.plan.warm + 1)?;
        self.target.take_calls();
        let mut process = Process::start(&subject.launch, &self.target.variables, &self.log)?;
        let at_start = process.at_start;
        if let Some(quota) = self.quota {
            quota.limit(process.pid())?;
        }
        let results = &mut subject.results;
        results.start.add(ms(process.started));
        results.start_main_cpu.add(ns(at_start.main_cpu));
        results.start_cpu.add(ns(at_start.cpu));
        results.start_faults.add(count(at_start.faults));
        results.start_read.add(count(at_start.read) / 1024.0);
        self.target.take_calls();

        let request = Request { feed: &subject.feed, status: subject.status };
        let (first, calls) = self.invoke(&mut process, &request, 0)?;
        results.first.add(ms(first.took));
        results.first_cpu.add(ns(process.usage().cpu.saturating_sub(at_start.cpu)));
        if self.target.proxy.is_some() {
            results.first_calls.add(count(calls.len() as u64));
            results.first_operations = calls.into_iter().map(|call| call.operation).collect();
        }
        results.answer = status(&first);

        let before = process.usage();
        let mut round = Sample::default();
        for _ in 0..self.plan.warm {
            let (answer, calls) = self.invoke(&mut process, &request, 0)?;
            results.warm.add(ms(answer.took));
            round.add(ms(answer.took));
            if self.target.proxy.is_some() {
                results.warm_calls.add(count(calls.len() as u64));
                results.warm_table.add(ms(calls.iter().map(|call| call.took).sum()));
            }
        }
        if self.plan.warm > 0 {
            results.warm_medians.add(round.median());
            let used = process.usage().cpu.saturating_sub(before.cpu);
            results.warm_cpu.add(ns(used) / count(self.plan.warm as u64));
        }
        let partners = if self.plan.cold { self.supply.partners.len() } else { 0 };
        for partner in 1..partners {
            let before = process.usage();
            let (answer, calls) = self.invoke(&mut process, &request, partner)?;
            results.cold_cpu.add(ns(process.usage().cpu.saturating_sub(before.cpu)));
            results.cold.add(ms(answer.took));
            if self.target.proxy.is_some() {
                results.cold_calls.add(count(calls.len() as u64));
            }
        }
        results.memory.add(count(process.usage().peak) / 1024.0);
        Ok(())
    }

    fn invoke(&mut self, process: &mut Process, request: &Request<'_>, partner: usize) -> Result<(Answer, Vec<Call>)> {
        let event = self.supply.next(request.feed, partner)?;
        self.target.take_calls();
        let answer = process.invoke(event)?;
        let calls = self.target.take_calls();
        match request.status {
            Some(expected) if status(&answer) != expected.to_string() => Err(BenchError::Unexpected {
                what: "a request".into(),
                expected: expected.to_string(),
                got: format!("{}\n{}", String::from_utf8_lossy(&answer.body), process.output()),
            }),
            _ => Ok((answer, calls)),
        }
    }
}

struct Request<'a> {
    feed: &'a Feed,
    status: Option<u64>,
}

/// The status of an HTTP response; `done` for a job.
fn status(answer: &Answer) -> String {
    match answer.response() {
        Ok((status, _)) if status > 0 => status.to_string(),
        _ => "done".to_owned(),
    }
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

pub fn ns(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1_000_000.0
}

pub fn count(number: u64) -> f64 {
    number as f64
}

pub fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Where the output of measured processes goes.
pub fn log(folder: &Path) -> PathBuf {
    folder.join("function.log")
}
