//! What a run measures, part by part.

mod commands;
mod memory;
mod parity;
mod quota;
mod ratios;
mod starts;

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::certificate::Certificate;
use crate::contender::{Build, Contender, peers};
use crate::engine::Engine;
use crate::error::{During, Result};
use crate::events::Events;
use crate::options::{Options, Section};
use crate::process::Launch;
use crate::proxy::Proxy;
use crate::report::{heading, say};
use crate::supply::{Supply, variables};

/// What all sections use.
pub struct Run<'a> {
    options: &'a Options,
    supply: Supply,
    builds: Vec<Build>,
    contenders: Vec<Contender>,
    hello: Option<Launch>,
    certificate: Certificate,
    /// The engine behind TLS, and behind a proxy without TLS.
    tls: Proxy,
    plain: Proxy,
    json: Map<String, Value>,
}

impl Run<'_> {
    /// The variables of functions that are connected to the engine itself.
    fn direct(&self) -> Result<Vec<(String, String)>> {
        variables(&format!("http://{}", self.supply.engine.address), &self.supply.events)
    }

    /// The variables of functions that are connected by TLS.
    fn secure(&self) -> Result<Vec<(String, String)>> {
        Ok([variables(&self.tls.url, &self.supply.events)?, self.certificate.variables()].concat())
    }

    /// As [`Run::secure`], with one authority to read.
    fn secure_with_one_authority(&self) -> Result<Vec<(String, String)>> {
        Ok([variables(&self.tls.url, &self.supply.events)?, self.certificate.only_own()].concat())
    }

    /// The variables of functions whose calls are counted, without TLS.
    fn counted(&self) -> Result<Vec<(String, String)>> {
        variables(&self.plain.url, &self.supply.events)
    }
}

/// Runs the chosen sections, and writes the result.
///
/// # Errors
/// If something is not built, or does not do what it should.
pub fn run(options: &Options) -> Result<()> {
    fs::create_dir_all(&options.output).on(&options.output)?;
    let events = Events::new(&options.root);
    let builds: Vec<_> = options.functions.iter().map(|text| Build::parse(text)).collect();
    let engine = Engine::start(&options.engine, &options.output.join("engine.log"))?;
    let certificate = Certificate::make(&options.output)?;
    let tls = Proxy::start(engine.address, Some(certificate.server.clone()))?;
    let plain = Proxy::start(engine.address, None)?;
    let (peers, missing) = peers(&options.peers);
    let first = builds.first().cloned().unwrap_or_else(|| Build::parse(""));
    let supply = Supply::start(engine, events, &first, &options.output)?;
    let mut contenders: Vec<_> = builds.iter().map(Contender::ours).collect();
    contenders.extend(peers);
    let hello = options.hello.is_file().then(|| launch(&options.hello));

    say(&machine(&options.root))?;
    for reason in &missing {
        say(&format!("skipped: {reason}"))?;
    }
    if hello.is_none() {
        say(&format!("skipped: hello world: {} does not exist", options.hello.display()))?;
    }
    let mut run = Run { options, supply, builds, contenders, hello, certificate, tls, plain, json: Map::new() };
    run.json.insert("machine".into(), json!(machine(&options.root)));
    run.json.insert("rounds".into(), json!(options.rounds));
    run.json.insert("warm_requests_per_round".into(), json!(options.warm));
    run.json.insert("skipped".into(), json!(missing));
    if options.runs(Section::Parity) {
        heading("Parity: the same items and the same answers")?;
        parity::run(&mut run)?;
    }
    if options.runs(Section::Starts) {
        heading("Starts: every function with its first sample")?;
        starts::run(&mut run)?;
    }
    if options.runs(Section::Commands) {
        commands::run(&mut run)?;
    }
    if options.runs(Section::Quota) {
        heading("CPU quotas")?;
        quota::run(&mut run)?;
    }
    if options.runs(Section::Ratios) {
        heading("Ratios that the design bounds")?;
        ratios::run(&mut run)?;
    }
    if options.runs(Section::Memory) {
        heading("Memory")?;
        memory::run(&mut run)?;
    }
    let file = options.output.join("result.json");
    let text = serde_json::to_string_pretty(&run.json).unwrap_or_default();
    fs::write(&file, text + "\n").on(&file)?;
    say(&format!("\nAll figures: {}", file.display()))
}

fn launch(program: &Path) -> Launch {
    Launch { program: program.to_owned(), arguments: Vec::new(), variables: Vec::new() }
}

/// Processor, cores, kernel and load.
fn machine(_: &Path) -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(": ").map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    let load = read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ");
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} cores of {}, Linux {}, load {load} at the start", field("model name"), kernel.trim())
}
