//! The process under test: it is killed with SIGKILL, and its data and clock are kept.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use domain::Timestamp;
use tests::FileClock;

pub struct Process {
    pub clock: FileClock,
    pub url: String,
    pub operator_key: String,
    pub kills: usize,
    folder: PathBuf,
    running: Running,
}

/// A process and the lines it prints.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    pub fn start() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("multipartner-killed-{}-{count}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let clock = FileClock::of(&folder.join("clock"));
        clock.set(Timestamp::parse("2026-11-22T12:00:00Z").expect("a time"));
        let (running, url, operator_key) = spawn(&folder, "0");
        Self { clock, url, operator_key, kills: 0, folder, running }
    }

    /// Kills the process and starts another one with the same data and address.
    pub fn kill(&mut self) {
        self.running.child.kill().expect("the process can be killed");
        self.running.child.wait().expect("the process ends");
        let port = self.url.rsplit(':').next().expect("a port");
        let (running, url, _) = spawn(&self.folder, port);
        assert_eq!(url, self.url);
        self.running = running;
        self.kills += 1;
        // Attempts that the killed process had begun may be repeated after their claim expires.
        self.clock.advance_millis(60_000);
    }

    /// Asks the process to deliver everything that is due.
    pub fn ask_to_settle(&mut self) {
        let input = self.running.child.stdin.as_mut().expect("its input");
        writeln!(input, "settle").expect("the process reads its input");
    }

    /// When the next delivery is due, once everything that was due is delivered; `Some(None)` if nothing is waiting.
    pub fn settled(&self) -> Option<Option<i64>> {
        match self.running.lines.try_recv() {
            Ok(line) => Some(line.parse().ok()),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("the process ended by itself"),
        }
    }
}

/// Starts the process. Its previous port may still be in use for a moment, so that the first tries may fail.
fn spawn(folder: &Path, port: &str) -> (Running, String, String) {
    const TRIES: u32 = 100;
    (0..TRIES).find_map(|_| try_spawn(folder, port)).expect("the process starts")
}

fn try_spawn(folder: &Path, port: &str) -> Option<(Running, String, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_killable"));
    let mut child =
        command.arg(folder).arg(port).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
    let mut output = BufReader::new(child.stdout.take().expect("its output"));
    let mut first = String::new();
    output.read_line(&mut first).expect("a line");
    let Some((url, key)) = first.trim_end().split_once(' ') else {
        child.wait().expect("the process ends");
        return None;
    };
    let (send, lines) = channel();
    std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    Some((Running { child, lines }, url.to_owned(), key.to_owned()))
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.running.child.kill();
        let _ = self.running.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
