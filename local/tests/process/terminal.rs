//! Questions on a terminal. Nothing listens at the address, so a command whose question was answered exits with 3.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::termios::{LocalFlags, tcgetattr};
use pty_process::blocking::{Command, Pty, open};

const KEY: &str = "mpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const KEY_ID: &str = "key_aaaaaaaaaaaaaaaaaaaaaaaaaa";
const URL: &str = "--url=http://127.0.0.1:1";
const PATIENCE: Duration = Duration::from_secs(60);
const CTRL_C: &str = "\u{3}";
const SIGINT: i32 = nix::sys::signal::Signal::SIGINT as i32;

struct Ended {
    status: ExitStatus,
    screen: String,
    /// Whether the terminal shows what is typed after the end of the program.
    shows_input: bool,
}

/// Runs the program on a terminal of its own, and types this when the question is on the screen.
fn answer(args: &[&str], key: Option<&str>, question: &str, typed: &str) -> Ended {
    let (mut terminal, inside) = open().expect("a terminal");
    assert!(shows_input(&terminal));
    let command = Command::new(env!("CARGO_BIN_EXE_multipartner")).args(args);
    let command = command
        .env_remove("MULTIPARTNER_WEBHOOK_SECRET")
        .env_remove("MULTIPARTNER_KEY")
        .envs(key.map(|key| ("MULTIPARTNER_KEY", key)));
    let mut child = command.spawn(inside).expect("the program starts");
    let screen = watch(&mut terminal, question, typed);
    Ended { status: child.wait().expect("an end"), screen, shows_input: shows_input(&terminal) }
}

fn watch(terminal: &mut Pty, question: &str, typed: &str) -> String {
    let (mut screen, mut part) = (String::new(), [0; 4096]);
    let mut is_typed = false;
    loop {
        match terminal.read(&mut part) {
            Ok(read) => screen.push_str(&String::from_utf8_lossy(&part[..read])),
            // The program has ended.
            Err(error) if error.raw_os_error() == Some(Errno::EIO as i32) => return screen,
            Err(error) => panic!("{error}"),
        }
        if !is_typed && screen.contains(question) {
            // The question is on the screen a moment before the input is hidden.
            let end = Instant::now() + PATIENCE;
            while question.contains("(hidden)") && shows_input(terminal) {
                assert!(Instant::now() < end, "the input is never hidden");
                std::thread::yield_now();
            }
            terminal.write_all(typed.as_bytes()).expect("typed");
            is_typed = true;
        }
    }
}

fn shows_input(terminal: &Pty) -> bool {
    tcgetattr(terminal).expect("its settings").local_flags.contains(LocalFlags::ECHO)
}

#[test]
fn a_key_is_asked_for_without_showing_it() {
    let question = "Access key for http://127.0.0.1:1 (hidden): ";
    for (typed, code, text) in [
        (format!("{KEY}\n"), 3, "cannot reach http://127.0.0.1:1"),
        ("mpk_short\n".to_owned(), 4, "the input does not contain an access key"),
        ("\n".to_owned(), 4, "the input does not contain an access key"),
    ] {
        let ended = answer(&["partner", "list", URL], None, question, &typed);
        assert_eq!(ended.status.code(), Some(code), "{}", ended.screen);
        assert!(ended.screen.contains(text) && !ended.screen.contains("mpk_A"), "{}", ended.screen);
        assert!(ended.shows_input, "{typed:?}");
    }
}

#[test]
fn a_confirmation_is_the_id_itself() {
    let question = format!("Type {KEY_ID} to confirm: ");
    for (typed, code, text) in [
        (format!("{KEY_ID}\n"), 3, "cannot reach http://127.0.0.1:1"),
        ("yes\n".to_owned(), 2, "not confirmed; nothing was sent"),
    ] {
        let ended = answer(&["key", "revoke", KEY_ID, URL], Some(KEY), &question, &typed);
        assert_eq!(ended.status.code(), Some(code), "{}", ended.screen);
        assert!(ended.screen.contains(text) && !ended.screen.contains("may have"), "{}", ended.screen);
    }
}

#[test]
fn ctrl_c_ends_a_question_and_leaves_the_terminal_as_it_was() {
    let confirm = format!("Type {KEY_ID} to confirm: ");
    let cases: [(&[&str], Option<&str>, &str); 3] = [
        (&["partner", "list", URL], None, "(hidden): "),
        (&["key", "revoke", KEY_ID, URL], Some(KEY), &confirm),
        (&["webhook", "sign", "Cargo.toml"], None, "Signing secret (hidden): "),
    ];
    for (args, key, question) in cases {
        let ended = answer(args, key, question, CTRL_C);
        assert_eq!(ended.status.signal(), Some(SIGINT), "{args:?}: {}", ended.screen);
        assert!(ended.shows_input, "{args:?}");
        assert!(ended.screen.contains(question), "{}", ended.screen);
    }
}
