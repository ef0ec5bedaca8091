//! The sockets of `serve`.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;

use crate::process::{Process, ask};

/// The ports that a process listens on. All must be on loopback.
#[cfg(target_os = "linux")]
fn listening(pid: u32) -> Vec<u16> {
    let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|file| std::fs::read_link(file.unwrap().path()).ok()?.to_str().map(str::to_owned))
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let tables =
        ["tcp", "tcp6"].map(|name| std::fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    lines
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // The local address, the state (0A is LISTEN) and the inode.
            let (address, state, inode) = (fields[1], fields[3], fields[9]);
            let own = state == "0A" && sockets.iter().any(|socket| socket == inode);
            let (host, port) = address.split_once(':').unwrap();
            let is_loopback = host.ends_with("7F") || host == "00000000000000000000000001000000";
            assert!(!own || is_loopback, "{line} listens beyond this machine");
            own.then(|| u16::from_str_radix(port, 16).unwrap())
        })
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn serve_listens_on_one_port_and_one_of_the_identity_provider() {
    let mut serve = Process::start(&["serve", "--port", "0"]);
    let address = serve.address();
    // Everything is printed once the samples exist, so everything has started.
    serve.line_with("Webhooks:");
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    // The sign-in page of both clouds is at the development identity provider.
    let policy = ask(&address, "GET", "/v1/policy", &[], "");
    let (_, provider) = policy.split_once("\"issuer\":\"http://localhost:").expect("a sign-in page on this machine");
    let provider: u16 = provider.split('/').next().unwrap().parse().unwrap();
    let mut listening = listening(serve.child.id());
    listening.sort_unstable();
    let mut expected = [port, provider];
    expected.sort_unstable();
    assert_eq!(listening, expected);
}

#[test]
fn the_api_allows_no_web_page_of_another_site_to_read_it() {
    let mut serve = Process::start(&["serve", "--port", "0", "--no-samples"]);
    let address = serve.address();
    for (method, path) in [("GET", "/v1/policy"), ("GET", "/"), ("OPTIONS", "/v1/policy"), ("POST", "/v1/keys")] {
        let headers = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
        let answer = ask(&address, method, path, &headers, "");
        assert!(answer.starts_with("HTTP/1.1 ") && !answer.contains("access-control-"), "{method} {path}: {answer}");
    }
}

#[test]
fn connections_that_never_finish_their_request_do_not_block_others() {
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_multipartner");
    command.args(["-c", &format!("ulimit -n 96; exec {program} serve --port 0 --no-samples")]);
    let mut serve = Process::spawn(command);
    let address = serve.address();
    let unfinished: Vec<TcpStream> = (0..120)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).unwrap();
            let head =
                "POST /v1/keys HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    let answer = ask(&address, "GET", "/v1/policy", &[], "");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(unfinished);
}
