//! Runs the code blocks of every document against a local run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;
use local::{Local, Options, samples};
use platform::clock::{Clock, SystemClock};

use crate::markdown::{Block, documents};

/// What the shell blocks use. Without one of these, no shell block runs.
const PROGRAMS: &[&str] = &["bash", "curl", "python3"];
/// How the documents call the program. The tests call it without Cargo, which would build it another time.
const CALL: &str = "cargo run -q -- ";
/// Starts a line that names the block whose output follows.
const MARK: &str = "\u{1}block ";

#[test]
fn each_block_runs_or_says_why_it_does_not() {
    for (document, blocks) in documents() {
        for block in blocks {
            let tested = match block.language.as_str() {
                "sh" => true,
                "python" => block.file.is_some(),
                "json" => serde_json::from_str::<serde_json::Value>(&block.text).is_ok(),
                // Text for reading and diagrams.
                "text" | "mermaid" => continue,
                _ => false,
            };
            assert!(tested || block.not_run.is_some(), "{document}:{}: a `{}` block", block.line, block.language);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documented_commands_work() {
    if let Some(missing) = PROGRAMS.iter().find(|program| !is_installed(program)) {
        println!("skipped: the code blocks of all documents: {missing} is not installed");
        return;
    }
    for (document, blocks) in documents() {
        let blocks: Vec<_> = blocks.into_iter().filter(|block| runs(&document, block)).collect();
        if blocks.iter().any(|block| block.language == "sh") {
            check(&document, &blocks).await;
        }
    }
}

fn runs(document: &str, block: &Block) -> bool {
    let calls_program = block.language == "sh" && block.text.contains(CALL);
    if calls_program && block.not_run.is_none() && program().is_none() {
        println!("skipped: {document}:{}: the program is built by `cargo test --workspace`", block.line);
        return false;
    }
    let missing = block.needs.iter().find(|program| !is_installed(program));
    if let Some(missing) = missing {
        println!("skipped: {document}:{}: {missing} is not installed", block.line);
    }
    block.not_run.is_none() && missing.is_none() && (block.language == "sh" || block.file.is_some())
}

/// Runs the blocks of a document in one shell and looks for the documented output of each.
async fn check(document: &str, blocks: &[Block]) {
    let folder = folder(document);
    for block in blocks {
        if let Some(name) = &block.file {
            std::fs::write(folder.join(name), &block.text).expect("a file");
        }
    }
    let system = System::start().await;
    write_cargo(&folder);
    let command = shell(&folder, &script(blocks), &system.variables);
    let output = tokio::task::spawn_blocking(move || run(command)).await.expect("a shell");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let printed_by = by_block(&printed);
    let last = printed_by.keys().last().copied().unwrap_or_default();
    assert!(output.status.success(), "{document}:{last}: {}\n{printed}", output.status);
    for block in blocks {
        let printed = printed_by.get(&block.line).copied().unwrap_or_default();
        for text in &block.prints {
            assert!(printed.contains(text), "{document}:{}: printed no `{text}` but:\n{printed}", block.line);
        }
    }
    println!("{document}: {} blocks", printed_by.len());
}

/// An empty folder for the files of a document.
fn folder(document: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs").join(document.replace('/', "-"));
    // An earlier run may have left files.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn script(blocks: &[Block]) -> String {
    let mut script = "set -euo pipefail\nexec 2>&1\n".to_owned();
    for block in blocks.iter().filter(|block| block.language == "sh") {
        // A response without a line end may come before the mark.
        let _ = write!(script, "printf '\\n{MARK}%d\\n' {}\n{}", block.line, block.text);
    }
    script
}

/// The program, next to the tests that Cargo built with it.
fn program() -> Option<PathBuf> {
    let tests = std::env::current_exe().ok()?;
    Some(tests.parent()?.parent()?.join("multipartner")).filter(|program| program.is_file())
}

/// Writes a `cargo` that runs the program and does nothing else.
fn write_cargo(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Some(program) = program() else { return };
    let file = folder.join("bin").join("cargo");
    std::fs::create_dir_all(folder.join("bin")).expect("a folder");
    let text =
        format!("#!/bin/sh\n[ \"$1 $2 $3\" = 'run -q --' ] || exit 2\nshift 3\nexec '{}' \"$@\"\n", program.display());
    std::fs::write(&file, text).expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).expect("a program");
}

fn shell(folder: &Path, script: &str, variables: &[(&'static str, String)]) -> Command {
    let mut command = Command::new("bash");
    command.current_dir(folder).arg("-c").arg(script).env("no_proxy", "*");
    // What the program remembers belongs to this run, and a person's own settings do not.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", folder.join("bin").display()));
    for name in ["XDG_STATE_HOME", "XDG_CONFIG_HOME"] {
        command.env(name, folder.join("home"));
    }
    command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    command
}

fn run(mut command: Command) -> Output {
    command.output().expect("bash starts")
}

/// What each block printed, by its line.
fn by_block(printed: &str) -> BTreeMap<usize, &str> {
    let parts = printed.split(MARK).skip(1);
    parts.filter_map(|part| part.split_once('\n')).map(|(line, text)| (line.parse().expect("a line"), text)).collect()
}

/// A local run with the sample tenants that sends webhooks, as `cargo run -- serve --allow-loopback-endpoints` starts it.
struct System {
    variables: Vec<(&'static str, String)>,
    _local: Local,
    _working: tokio::task::JoinSet<()>,
}

/// The system's clock, shifted by milliseconds.
struct Shifted(AtomicI64);

impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(self.0.load(Ordering::SeqCst))
    }
}

impl System {
    async fn start() -> Self {
        let clock = Arc::new(Shifted(AtomicI64::new(-20_000)));
        let options = Options { loopback_endpoints: true, clock: clock.clone(), ..Options::default() };
        let local = local::start(options).await.expect("a local run");
        let samples = samples::seed(local.base_url(), local.operator_key()).await.expect("the samples");
        // The samples are old enough for the feed, which holds back the newest events.
        clock.0.store(0, Ordering::SeqCst);
        let working = local.work().await.expect("the jobs");
        let variables = vec![
            ("BASE", local.base_url().to_owned()),
            ("OPERATOR_KEY", local.operator_key().expose_secret().to_owned()),
            ("CONTOSO", samples.contoso.id),
            ("CONTOSO_KEY", samples.contoso.key),
            ("NORTHWIND", samples.northwind.id),
            ("NORTHWIND_KEY", samples.northwind.key),
            ("PORT", free_port().to_string()),
        ];
        Self { variables, _local: local, _working: working }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    listener.local_addr().expect("an address").port()
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
