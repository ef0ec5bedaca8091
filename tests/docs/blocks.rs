//! Runs the code blocks of every document against a local run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use local::{Local, Options, samples};

use crate::markdown::{Block, documents};

/// What the shell blocks use. Without one of these, no shell block runs.
const PROGRAMS: &[&str] = &["bash", "curl", "python3"];
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

fn shell(folder: &Path, script: &str, variables: &[(&'static str, String)]) -> Command {
    let mut command = Command::new("bash");
    command.current_dir(folder).arg("-c").arg(script).env("no_proxy", "*");
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

impl System {
    async fn start() -> Self {
        let options = Options { loopback_endpoints: true, ..Options::default() };
        let local = local::start(options).await.expect("a local run");
        let samples = samples::seed(local.base_url(), local.operator_key()).await.expect("the samples");
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
