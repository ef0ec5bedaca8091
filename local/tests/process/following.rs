//! `events tail`, `listen --forward-to` and `webhook` as programs.

use std::fs;
use std::process::Command;

use crate::process::{Folder, Process, ask};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// The program without the settings of the person who runs the tests.
fn program(folder: &Folder, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_multipartner"));
    command.args(args);
    for name in ["MULTIPARTNER_URL", "MULTIPARTNER_KEY", "MULTIPARTNER_PROFILE"] {
        command.env_remove(name);
    }
    for name in ["HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"] {
        command.env(name, &folder.0);
    }
    command
}

/// A run with samples, on this port or a free one.
struct Served {
    process: Process,
    address: String,
    partner: String,
    key: String,
}

impl Served {
    fn start(folder: &Folder, port: &str) -> Self {
        let mut process = Process::start(&["serve", "--port", port, "--data-dir", folder.text()]);
        let address = process.address();
        let line = process.line_with("  Northwind");
        let mut words = line.split_whitespace().skip(2).map(str::to_owned);
        let (partner, key) = (words.next().expect("an id"), words.next().expect("a key"));
        process.line_with("Webhooks:");
        Self { process, address, partner, key }
    }

    /// Stops it. Returns its port.
    fn stop(self) -> String {
        self.process.stop();
        self.address.rsplit(':').next().expect("a port").to_owned()
    }

    /// Cancels or renews the sample invitation.
    fn act(&self, what: &str) {
        let bearer = format!("Bearer {}", self.key);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let list = ask(&self.address, "GET", &format!("/v1/partners/{}/invitations", self.partner), &headers, "");
        let id = list.split("\"invitation_id\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
        let path = format!("/v1/partners/{}/invitations/{id}/{what}", self.partner);
        let answer = ask(&self.address, "POST", &path, &headers, "{}");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// Ends a program as Ctrl-C does. Returns its exit code.
fn interrupt(mut process: Process) -> Option<i32> {
    let pid = process.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    process.child.wait().unwrap().code()
}

#[test]
fn tail_and_listen_continue_after_a_restart_of_the_server() {
    let (home, data) = (Folder::new(), Folder::new());
    fs::create_dir_all(&home.0).unwrap();
    let served = Served::start(&data, "0");
    let url = format!("http://{}", served.address);
    let key_file = home.0.join("key");
    fs::write(&key_file, &served.key).unwrap();
    let key_file = key_file.to_str().unwrap().to_owned();
    let connection = ["--url", url.as_str(), "--key-file", key_file.as_str()];

    let secret_file = home.0.join("secret");
    fs::write(&secret_file, SECRET).unwrap();
    let secret_file = secret_file.to_str().unwrap();
    let mut program_of_a_developer =
        Process::spawn(program(&home, &["listen", "--port", "0", "--secret-file", secret_file]));
    let to = format!("http://{}/", program_of_a_developer.address());
    let start = |args: &[&str]| Process::spawn(program(&home, &[args, &connection].concat()));
    let mut tail = start(&["events", "tail", "--from", "start"]);
    let listen_args = ["listen", "--forward-to", &to, "--from", "start", "--secret-file", secret_file];
    let mut listen = start(&listen_args);
    assert!(!listen.line_with("Signing secret").contains("whsec_"));

    // The first events are those of the samples.
    assert!(tail.line_with("invitation.created").starts_with("{\"event_id\":\"evt_"));
    program_of_a_developer.line_with("partner.enrolled");
    assert!(program_of_a_developer.line_with("invitation.created").contains("(signature valid)"));
    assert!(listen.line_with("invitation.created").contains("  204 in "));

    served.act("renew");
    let port = served.stop();
    tail.error_with("Offline: cannot reach");
    listen.error_with("Offline: cannot reach");
    let served = Served::start(&data, &port);
    tail.error_with("Online again");
    listen.error_with("Online again");
    tail.line_with("invitation.renewed");
    assert!(program_of_a_developer.line_with("invitation.renewed").contains("(signature valid)"));
    listen.line_with("invitation.renewed");

    // A second start continues behind what was forwarded.
    assert_eq!(interrupt(listen), Some(130));
    served.act("cancel");
    let mut listen = start(&listen_args);
    listen.line_with("Forwarding");
    let line = listen.line_with("evt_");
    assert!(line.contains("invitation.cancelled"), "{line}");
    assert!(!program_of_a_developer.line_with("invitation.cancelled").contains("repeated"));
    assert!(tail.line_with("").contains("invitation.cancelled"));
    let pid = tail.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    tail.error_with("--from ");
    assert_eq!(tail.child.wait().unwrap().code(), Some(130));
    served.stop();
}

#[test]
fn a_key_or_target_that_cannot_be_used_ends_it_at_once() {
    let (home, data) = (Folder::new(), Folder::new());
    fs::create_dir_all(&home.0).unwrap();
    let served = Served::start(&data, "0");
    let url = format!("http://{}", served.address);
    for (args, key, code, text) in [
        (&["events", "tail"][..], "mpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 4, "key_invalid"),
        (&["events", "tail", "--from", "unknown"], &served.key, 2, "is not a cursor of this feed"),
        (&["listen", "--forward-to", "http://10.0.0.1:4000/"], &served.key, 2, "is not on this machine"),
        (&["listen", "--forward-to", "http://127.0.0.1"], &served.key, 2, "names no port"),
        (&["listen", "--port", "0"], &served.key, 2, "need --forward-to"),
    ] {
        let mut command = program(&home, &[args, &["--url", &url]].concat());
        command.env("MULTIPARTNER_KEY", key);
        let (status, error) = Process::spawn(command).end();
        assert!(status.code() == Some(code) && error.contains(text), "{args:?}: {status}: {error}");
    }
}

#[test]
fn tail_waits_for_a_server_that_is_not_there_and_says_so() {
    let home = Folder::new();
    let mut command = program(&home, &["events", "tail", "--url", "http://127.0.0.1:1"]);
    command.env("MULTIPARTNER_KEY", "mpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let mut tail = Process::spawn(command);
    tail.error_with("Offline: cannot reach http://127.0.0.1:1");
    assert_eq!(interrupt(tail), Some(130));
}

#[test]
fn what_sign_signs_verify_accepts_and_send_delivers() {
    let home = Folder::new();
    fs::create_dir_all(&home.0).unwrap();
    let file = |name: &str, text: &str| {
        let path = home.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let body = file("body.json", "{\"type\": \"a.b\"}\n");
    let run = |args: &[&str]| {
        let mut command = program(&home, args);
        command.env("MULTIPARTNER_WEBHOOK_SECRET", SECRET);
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, signed, _) = run(&["webhook", "sign", &body, "--id", "msg_1"]);
    assert_eq!(code, Some(0));
    assert!(signed.starts_with("webhook-id: msg_1\nwebhook-timestamp: "), "{signed}");
    let headers = file("headers.txt", &signed);
    let (code, printed, _) = run(&["webhook", "verify", &body, "--headers", &headers]);
    assert_eq!((code, printed.as_str()), (Some(0), "The signature is valid. Type: a.b\n"));
    let changed = file("changed.json", "{\"type\": \"a.b\"}");
    let (code, _, error) = run(&["webhook", "verify", &changed, "--headers", &headers]);
    assert!(code == Some(1) && error.contains("with a line end after it"), "{error}");

    let receiver = file("secret", SECRET);
    let mut listen = Process::spawn(program(&home, &["listen", "--port", "0", "--secret-file", &receiver]));
    let url = format!("http://{}/hooks", listen.address());
    let (code, printed, _) = run(&["webhook", "send", &url, "--type", "grant.ended"]);
    assert!(code == Some(0) && printed.starts_with("grant.ended  evt_") && printed.contains("  204 in "), "{printed}");
    assert!(listen.line_with("grant.ended").contains("(signature valid)"));
    let (code, printed, error) = run(&["webhook", "send", "http://127.0.0.1:1/"]);
    assert!(code == Some(1) && printed.contains("nothing listens there"), "{printed}{error}");
    let output = program(&home, &["webhook", "sign", &body]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && error.contains("MULTIPARTNER_WEBHOOK_SECRET"), "{error}");
}
