//! Starts the program, and stops it at the end of a test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// A running program.
pub struct Process {
    pub child: Child,
    /// `None` after it was closed.
    stdout: Option<BufReader<ChildStdout>>,
    stderr: BufReader<ChildStderr>,
}

impl Process {
    pub fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_multipartner"));
        command.args(args);
        Self::spawn(command)
    }

    pub fn spawn(mut command: Command) -> Self {
        command.env_remove("MULTIPARTNER_OPERATOR_KEY").env_remove("MULTIPARTNER_WEBHOOK_SECRET");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, stdout: Some(stdout), stderr }
    }

    /// The next line of standard output that contains this text.
    pub fn line_with(&mut self, text: &str) -> String {
        line_with(self.stdout.as_mut().expect("an open output"), text)
    }

    /// The next line of standard error that contains this text.
    pub fn error_with(&mut self, text: &str) -> String {
        line_with(&mut self.stderr, text)
    }

    /// The `host:port` in the next line of standard output that has one.
    pub fn address(&mut self) -> String {
        let line = self.line_with("http://");
        let rest = line.split("http://").nth(1).expect("an address");
        rest.split_whitespace().next().expect("an address").to_owned()
    }

    /// Stops it as Ctrl-C does, and waits for its end.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
        assert!(self.child.wait().expect("an end").success());
    }

    /// Closes its output without reading more. Returns how it ended, and standard error.
    pub fn without_reader(mut self) -> (ExitStatus, String) {
        self.stdout = None;
        self.end()
    }

    /// Waits for its end. Returns how it ended, and standard error.
    pub fn end(mut self) -> (ExitStatus, String) {
        let mut text = String::new();
        self.stderr.read_to_string(&mut text).expect("text");
        (self.child.wait().expect("an end"), text)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line_with(lines: &mut impl BufRead, text: &str) -> String {
    let mut seen = String::new();
    loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).expect("a line") > 0, "no line has {text}:\n{seen}");
        if line.contains(text) {
            return line.trim_end().to_owned();
        }
        seen.push_str(&line);
    }
}

/// Sends a request and reads the whole response.
pub fn ask(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}");
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("a response");
    answer
}

/// A path that no other test has. It is removed at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("multipartner-process-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        Self(std::env::temp_dir().join(name))
    }

    pub fn text(&self) -> &str {
        self.0.to_str().expect("a plain path")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
