//! What `serve` prints, and its samples.

use std::fs;

use crate::process::{Folder, Process, ask};

const KEY: &str = "mpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Starts on a folder, reads everything that is printed, and passes it and the address to a function.
fn served(folder: &Folder, more: &[&str], check: impl FnOnce(&str, &str)) {
    let mut args = vec!["serve", "--port", "0", "--data-dir", folder.text()];
    args.extend(more);
    let mut serve = Process::start(&args);
    let address = serve.address();
    let mut printed = String::new();
    while !printed.contains("Webhooks:") {
        printed += &serve.line_with("");
        printed.push('\n');
    }
    check(&printed, &address);
    serve.stop();
}

fn key_of(printed: &str, caller: &str) -> Option<String> {
    let line = printed.lines().find(|line| line.trim_start().starts_with(caller))?;
    line.split_whitespace().find(|word| word.starts_with("mpk_")).map(str::to_owned)
}

#[test]
fn samples_never_go_into_a_folder_with_data_of_its_own() {
    let folder = Folder::new();
    served(&folder, &["--no-samples"], |printed, address| {
        let operator = key_of(printed, "Operator").unwrap();
        assert_eq!(key_of(printed, "Contoso"), None);
        let bearer = format!("Bearer {operator}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body =
            r#"{"tenant_id":"d0d0d0d0-0000-4000-8000-000000000001","name":"Own","cloud":"public","market":"US"}"#;
        let answer = ask(address, "POST", "/v1/customers", &headers, body);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    });
    served(&folder, &[], |printed, address| {
        assert!(printed.contains("This data folder has data of its own, so there are no sample tenants."), "{printed}");
        assert_eq!(key_of(printed, "Contoso"), None);
        let bearer = format!("Bearer {}", key_of(printed, "Operator").unwrap());
        let path = "/v1/customers/c0c0c0c0-0000-4000-8000-000000000001";
        let answer = ask(address, "GET", path, &[("authorization", &bearer)], "");
        assert!(!answer.contains("Contoso"), "{answer}");
    });
}

#[test]
fn samples_go_into_an_empty_folder_and_are_found_again() {
    let folder = Folder::new();
    served(&folder, &["--no-samples"], |_, _| ());
    let mut first = None;
    served(&folder, &[], |printed, _| first = key_of(printed, "Contoso"));
    assert!(first.is_some());
    served(&folder, &[], |printed, _| assert_eq!(key_of(printed, "Contoso"), first));
}

#[test]
fn another_operator_key_issues_no_second_set_of_sample_keys_and_is_announced() {
    let folder = Folder::new();
    let file = Folder::new();
    fs::write(&file.0, KEY).unwrap();
    let option = ["--operator-key-file", file.text()];
    let differs = "The operator key differs from that of the last start, which is not valid in this run.";
    let mut keys = None;
    served(&folder, &[], |printed, _| {
        assert!(!printed.contains(differs), "{printed}");
        keys = key_of(printed, "Contoso");
    });
    served(&folder, &option, |printed, address| {
        assert!(printed.contains(differs), "{printed}");
        assert!(printed.contains("were issued with another operator key"), "{printed}");
        assert_eq!((key_of(printed, "Contoso"), printed.contains(KEY)), (None, false), "{printed}");
        let bearer = format!("Bearer {KEY}");
        let list = ask(address, "GET", "/v1/keys", &[("authorization", &bearer)], "");
        assert_eq!(list.matches("Contoso, sample").count(), 1, "{list}");
    });
    served(&folder, &option, |printed, _| assert!(!printed.contains(differs), "{printed}"));
    served(&folder, &[], |printed, _| {
        assert!(printed.contains(differs), "{printed}");
        assert_eq!(key_of(printed, "Contoso"), keys);
    });
    fs::remove_file(&file.0).unwrap();
}

#[test]
fn an_endpoint_that_does_not_answer_its_challenge_is_reported() {
    let mut serve = Process::start(&["serve", "--port", "0", "--allow-loopback-endpoints"]);
    let address = serve.address();
    let mut northwind = Vec::new();
    while northwind.is_empty() {
        let line = serve.line_with("");
        if line.trim_start().starts_with("Northwind") {
            northwind = line.split_whitespace().map(str::to_owned).collect();
        }
    }
    serve.line_with("Webhooks:");
    let (id, key) = (&northwind[2], &northwind[3]);
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    // Nothing can listen on this port.
    let path = format!("/v1/partners/{id}/endpoints");
    let answer = ask(&address, "POST", &path, &headers, r#"{"url":"http://127.0.0.1:1/"}"#);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let warning = serve.error_with("did not answer its challenge");
    assert!(
        warning.contains("http://127.0.0.1:1/ ") && warning.contains("Start the receiver, then call POST"),
        "{warning}"
    );
    assert!(warning.contains(&format!("{path}/")) && warning.ends_with("/test"), "{warning}");
}
