//! The command line. With a test here, `cargo test` also builds the program, which `.ci/bench` runs.

use std::process::Command;

fn benches(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    command.args(arguments);
    command
}

#[test]
fn help_names_the_sections() {
    let help = String::from_utf8(benches(&["--help"]).output().expect("the program").stdout).expect("text");
    for section in ["parity", "starts", "commands", "quota", "ratios", "memory"] {
        assert!(help.contains(section), "{help}");
    }
}

#[test]
fn what_is_not_built_is_named() {
    let folder = env!("CARGO_TARGET_TMPDIR");
    let output = benches(&["--output", folder, "--engine", "/does/not/exist"]).output().expect("the program");
    let error = String::from_utf8(output.stderr).expect("text");
    assert!(!output.status.success() && error.contains("/does/not/exist does not exist"), "{error}");
}
