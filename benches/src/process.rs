//! A running function.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{BenchError, During, Result};
use crate::runtime_api::{Report, RuntimeApi};
use crate::usage::Usage;

/// How long a function may take to start or to answer. Small quotas and busy machines make peers slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// How to start a function.
#[derive(Clone, Debug)]
pub struct Launch {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub variables: Vec<(String, String)>,
}

/// One request and its answer.
#[derive(Debug)]
pub struct Answer {
    /// From sending the event to the end of the answer.
    pub took: Duration,
    pub body: Vec<u8>,
}

impl Answer {
    /// The status of the HTTP response, and its body as JSON.
    ///
    /// # Errors
    /// [`BenchError::Json`].
    pub fn response(&self) -> Result<(u64, serde_json::Value)> {
        let response = crate::error::json("an answer", &self.body)?;
        let body = response["body"].as_str().unwrap_or("null");
        let body = serde_json::from_str(body).unwrap_or(serde_json::Value::Null);
        Ok((response["statusCode"].as_u64().unwrap_or(0), body))
    }
}

impl Answer {
    /// The response's body, if its status is the expected one.
    ///
    /// # Errors
    /// [`BenchError::Unexpected`].
    pub fn expect(&self, what: &str, expected: u64) -> Result<serde_json::Value> {
        let (status, body) = self.response()?;
        if status == expected {
            return Ok(body);
        }
        let got = format!("{status} {body}");
        Err(BenchError::Unexpected { what: what.to_owned(), expected: expected.to_string(), got })
    }
}

pub struct Process {
    child: Child,
    api: RuntimeApi,
    name: String,
    log: PathBuf,
    /// From starting the program to its first request for an event.
    pub started: Duration,
    /// What it had used then.
    pub at_start: Usage,
}

impl Process {
    /// Starts a function and waits until it asks for an event. Its output goes to `log`.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(launch: &Launch, variables: &[(String, String)], log: &Path) -> Result<Self> {
        let api = RuntimeApi::start()?;
        let output = File::create(log).on(log)?;
        let mut command = Command::new(&launch.program);
        command.args(&launch.arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("AWS_LAMBDA_RUNTIME_API", api.address.to_string());
        command.envs(variables.iter().chain(&launch.variables).map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(output.try_clone().on(log)?).stderr(output);
        let name = launch.program.display().to_string();
        let began = Instant::now();
        let child = command.spawn().on(&launch.program)?;
        let (started, at_start) = (Duration::ZERO, Usage::default());
        let mut process = Self { child, api, name, log: log.to_owned(), started, at_start };
        match process.report()? {
            Report::Asked(at) => process.started = at.duration_since(began),
            Report::Answered { body, .. } => return Err(process.unexpected("a request for an event", &body)),
        }
        process.at_start = process.usage();
        Ok(process)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn usage(&self) -> Usage {
        Usage::of(self.pid())
    }

    /// Sends an event, and waits until the function has answered and asked for the next one.
    ///
    /// # Errors
    /// If it fails or stops.
    pub fn invoke(&mut self, event: Vec<u8>) -> Result<Answer> {
        self.api.send(event);
        let answer = match self.report()? {
            Report::Answered { sent, done, body, failed: false } => Answer { took: done.duration_since(sent), body },
            Report::Answered { body, .. } => return Err(self.unexpected("an answer", &body)),
            Report::Asked(_) => return Err(self.unexpected("an answer", b"another request for an event")),
        };
        match self.report()? {
            Report::Asked(_) => Ok(answer),
            Report::Answered { body, .. } => Err(self.unexpected("a request for an event", &body)),
        }
    }

    /// What it wrote to standard output and standard error.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn report(&mut self) -> Result<Report> {
        // A process that has ended will report nothing.
        let slices = PATIENCE.as_millis() / 200;
        for _ in 0..slices {
            match self.api.report(Duration::from_millis(200)) {
                Ok(report) => return Ok(report),
                Err(_) if matches!(self.child.try_wait(), Ok(Some(_))) => break,
                Err(_) => {}
            }
        }
        let state = match self.child.try_wait() {
            Ok(Some(status)) => format!("it ended: {status}"),
            _ => "it is running".to_owned(),
        };
        let output = self.output();
        let from = output.len().saturating_sub(2_000);
        let output = output.get(from..).unwrap_or_default().to_owned();
        Err(BenchError::Silent { program: self.name.clone(), seconds: PATIENCE.as_secs(), state, output })
    }

    fn unexpected(&self, expected: &str, got: &[u8]) -> BenchError {
        let got = format!("{}\n{}", String::from_utf8_lossy(got), self.output());
        BenchError::Unexpected { what: self.name.clone(), expected: expected.to_owned(), got }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
