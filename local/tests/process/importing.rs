//! An import while the server is killed.

use std::fs;
use std::process::Command;

use crate::process::{Folder, Process};

const KEY: &str = "mpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const LINES: usize = 300;

#[test]
fn an_import_goes_on_when_a_killed_server_is_back() {
    let (data, folder) = (Folder::new(), Folder::new());
    fs::create_dir_all(&folder.0).unwrap();
    let file = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    fs::write(file("key"), KEY).unwrap();
    let line = |number| format!("00000000-0000-4000-8000-{number:012},Customer {number},public,US\n");
    let lines: String = (0..LINES).map(line).collect();
    fs::write(file("customers.csv"), format!("tenant_id,name,cloud,market\n{lines}")).unwrap();

    let serve = |port: &str, log: &str| {
        let key = file("key");
        let args = ["serve", "--port", port, "--data-dir", data.text(), "--operator-key-file", &key, "--no-samples"];
        Process::start(&[&args[..], &["--log", log]].concat())
    };
    let mut server = serve("0", "info");
    let address = server.address();
    let run = |results: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_multipartner"));
        command.args(["import", "customers", &file("customers.csv"), "--results", &file(results)]);
        command.args(["--url", &format!("http://{address}"), "--key-file", &file("key"), "--parallel", "2"]);
        Process::spawn(command)
    };
    let mut import = run("first.csv");
    for _ in 0..LINES / 10 {
        server.error_with("POST /v1/customers");
    }
    drop(server);
    let (_, port) = address.split_once(':').unwrap();
    let mut server = serve(port, "warn");
    server.line_with("http://");
    let printed = import.line_with("lines in");
    let (status, errors) = import.end();
    assert!(status.success(), "{printed} {errors}");
    assert!(printed.starts_with(&format!("{LINES} of {LINES} lines")), "{printed}");

    let results = fs::read_to_string(file("first.csv")).unwrap();
    assert_eq!(results.lines().count(), LINES + 1);
    assert_eq!(results.lines().nth(1), Some("2,created,,"));
    let mut again = run("second.csv");
    let printed = again.line_with("lines in");
    assert!(printed.ends_with(&format!("{LINES} unchanged.")), "{printed}");
    assert!(again.end().0.success());

    let (status, errors) = run("second.csv").end();
    assert_eq!(status.code(), Some(2), "{errors}");
    assert!(errors.contains("exists. Choose another file with --results"), "{errors}");
    server.stop();
}
