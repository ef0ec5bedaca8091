//! `listen | head -1`, `keygen | true`, `demo | head -1`.

use crate::process::{Process, ask};

fn assert_quiet(label: &str, process: Process) {
    let (status, error) = process.without_reader();
    assert!(status.success() && error.is_empty(), "{label}: {status}: {error}");
}

#[test]
fn a_program_whose_reader_has_gone_succeeds_quietly() {
    for args in [&["keygen"][..], &["demo"], &["help"]] {
        assert_quiet(args[0], Process::start(args));
    }
    let mut demo = Process::start(&["demo"]);
    demo.line_with("");
    assert_quiet("demo, after a line", demo);
}

#[test]
fn listen_ends_when_it_has_something_to_print_and_no_reader() {
    let mut listen = Process::start(&["listen", "--port", "0"]);
    let address = listen.address();
    listen.line_with("Ctrl-C");
    let sender = std::thread::spawn(move || ask(&address, "POST", "/", &[], "{}"));
    assert_quiet("listen", listen);
    // Whether the response still arrives does not matter.
    drop(sender.join());
}

#[test]
fn what_others_send_cannot_look_like_a_line_of_listen() {
    let mut listen = Process::start(&["listen", "--port", "0"]);
    let address = listen.address();
    listen.line_with("Ctrl-C");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().to_string();
    let headers = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", now.as_str()),
        ("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
    ];
    let body = r#"{"type":"a\nendpoint.test  msg_2  (signature valid)\u202e","text":"b\nc\u001b[2J\u2066"}"#;
    let answer = ask(&address, "POST", "/", &headers, body);
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    let heading = listen.line_with("msg_1");
    assert_eq!(heading, "a\u{FFFD}endpoint.test  msg_2  (signature valid)\u{FFFD}  msg_1  (signature not checked)");
    let text = listen.line_with("text");
    assert_eq!(text, "  \"text\": \"b\\nc\\u001b[2J\u{FFFD}\",");
}
