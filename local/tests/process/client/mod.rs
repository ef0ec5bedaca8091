//! The commands that call a deployment, as processes, against the local gateway in this process.

mod errors;
mod hostile;
mod keys;
mod story;
mod tls;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use local::api::{Answer, Api, Call};
use local::{Local, Options};
use tokio::runtime::Runtime;

use crate::process::Folder;

/// The local gateway while a test runs.
pub struct Gateway {
    runtime: Runtime,
    local: Local,
}

impl Gateway {
    pub fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let options = Options { loopback_endpoints: true, ..Options::default() };
        let local = runtime.block_on(local::start(options)).expect("it starts");
        Self { runtime, local }
    }

    pub fn url(&self) -> &str {
        self.local.base_url()
    }

    pub fn operator(&self) -> &str {
        self.local.operator_key().expose_secret()
    }

    /// A call without the command line.
    pub fn api(&self, call: &Call) -> Answer {
        self.runtime.block_on(async { Api::new(self.url()).expect("a client").send(call).await.expect("a response") })
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// The value of an entry of the output.
    pub fn value(&self, name: &str) -> String {
        let line = self.out.lines().find(|line| line.split_whitespace().next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("no {name}: {self:?}"));
        line.trim_start()[name.len()..].trim().to_owned()
    }
}

/// A user with an address, a key and a configuration folder.
pub struct User {
    url: Option<String>,
    key: Option<String>,
    pub home: Folder,
}

impl User {
    pub fn new(url: &str, key: &str) -> Self {
        Self { url: Some(url.to_owned()), key: Some(key.to_owned()), home: Folder::new() }
    }

    pub fn without_settings() -> Self {
        Self { url: None, key: None, home: Folder::new() }
    }

    pub fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        std::fs::create_dir_all(&self.home.0).expect("a folder");
        let path = self.home.0.join(name);
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
        path
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_multipartner"));
        command
            .args(args)
            .env_remove("MULTIPARTNER_PROFILE")
            .env_remove("MULTIPARTNER_URL")
            .env_remove("MULTIPARTNER_KEY");
        command.env("XDG_CONFIG_HOME", &self.home.0).env("HOME", &self.home.0);
        if let Some(url) = &self.url {
            command.env("MULTIPARTNER_URL", url);
        }
        if let Some(key) = &self.key {
            command.env("MULTIPARTNER_KEY", key);
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        self.run_with(args, "")
    }

    /// With this text as standard input.
    pub fn run_with(&self, args: &[&str], input: &str) -> Ended {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        // A command that reads no input may have ended.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("an end");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Succeeds.
    pub fn done(&self, args: &[&str]) -> Ended {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        ended
    }
}

/// A server that is no deployment: it gives every request the same response, and keeps the requests.
pub struct Fake {
    pub url: String,
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    pub fn start(response: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let request = serve(stream, &response);
                kept.lock().expect("no panic").push(request);
            }
        });
        Self { url, requests }
    }

    pub fn json(status: &str, headers: &str, body: &str) -> Self {
        Self::start(format!(
            "HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }
}

fn serve(mut stream: TcpStream, response: &str) -> String {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    while !request.contains("\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(read @ 1..) => request.push_str(&String::from_utf8_lossy(&buffer[..read])),
            _ => break,
        }
    }
    let _ = stream.write_all(response.as_bytes());
    request
}
