//! Exit codes, and what is printed on standard error.

use super::{Ended, Fake, Gateway, User};
use crate::process::Process;

const UNKNOWN: &str = "ptr_aaaaaaaaaaaaaaaaaaaaaaaaaa";
const KEY: &str = "mpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn assert_ends(ended: &Ended, code: i32, texts: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert_eq!(ended.out, "", "{ended:?}");
    for text in texts {
        assert!(ended.err.contains(text), "{text}: {ended:?}");
    }
}

#[test]
fn a_rejection_is_explained() {
    let gateway = Gateway::start();
    let user = User::new(gateway.url(), gateway.operator());
    let texts = ["Not found: ", "code: not_found (HTTP 404)", "request: ", "Check the id"];
    assert_ends(&user.run(&["partner", "show", UNKNOWN]), 1, &texts);
    assert_ends(&user.run(&["partner", "show", UNKNOWN, "--json"]), 1, &texts);
    let tenant = "b0b0b0b0-0000-4000-8000-000000000001";
    let invalid = user.run(&[
        "customer",
        "register",
        "--tenant-id",
        tenant,
        "--name",
        " x",
        "--cloud",
        "public",
        "--market",
        "UK",
    ]);
    assert_ends(&invalid, 1, &["/name: ", "/market: ", "code: validation_failed"]);
}

#[test]
fn wrong_arguments_and_settings_send_nothing() {
    let fake = Fake::json("200 OK", "", "{}");
    let user = User::new(&fake.url, KEY);
    let id = "key_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    for (args, text) in [
        (&["partner", "show", "x"][..], "the id of a partner"),
        (&["partner", "show"], "<PARTNER_ID>"),
        (&["key", "revoke", KEY], "not the key itself"),
        (&["key", "revoke", id], "add --yes"),
        (&["partner", "rotate-secret", UNKNOWN, "--grace-hours", "0"], "add --yes"),
        (&["relationship", "end", "--yes"], "cannot be undone|name the other side"),
        (&["partner", "correct", UNKNOWN], "name what to change"),
        (&["partner", "list", "--url", "http://example.com"], "use https"),
        (&["partner", "list", "--profile", "none"], "no profile `none`"),
        (&["endpoint", "resend", "ep_aaaaaaaaaaaaaaaaaaaaaaaaaa"], "--event-id"),
        (&["events", "list", "--after", "a", "--cursor", "b"], "cannot be used with"),
        (&["open"], "--partner-id"),
    ] {
        let ended = user.run(args);
        assert!(text.split('|').any(|text| ended.err.contains(text)), "{args:?}: {ended:?}");
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{args:?}: {ended:?}");
    }
    assert_eq!(fake.requests.lock().unwrap().len(), 0);
}

#[test]
fn an_operator_names_the_owner() {
    let gateway = Gateway::start();
    let user = User::new(gateway.url(), gateway.operator());
    for args in [&["grant", "list"][..], &["subscription", "list"], &["invitation", "list"], &["endpoint", "list"]] {
        assert_ends(&user.run(args), 2, &["--partner-id or --tenant-id"]);
    }
    assert_ends(&user.run(&["subscription", "show", "s"]), 2, &["use --partner-id"]);
}

#[test]
fn what_can_succeed_later_has_its_own_code() {
    let closed = "http://127.0.0.1:1";
    assert_ends(&User::new(closed, KEY).run(&["partner", "list"]), 3, &["cannot reach http://127.0.0.1:1", "--url"]);
    let problem = r#"{"type":"urn:multipartner:problem:throttled","title":"Database is throttling","status":503,"detail":"Retry.","instance":"urn:request:r-1","code":"throttled","retryable":true}"#;
    let headers = "content-type: application/problem+json\r\nretry-after: 7\r\n";
    let user = User::new(&Fake::json("503 Service Unavailable", headers, problem).url, KEY);
    assert_ends(
        &user.run(&["partner", "list"]),
        3,
        &["code: throttled (HTTP 503)", "request: r-1", "Try again in 7 s."],
    );
    let issue = ["key", "issue", "--kind", "operator", "--name", "n"];
    assert_ends(&user.run(&issue), 3, &["add --idempotency-key cli-"]);
    let own = [&issue[..], &["--idempotency-key", "k-1"]].concat();
    assert_ends(&user.run(&own), 3, &["add --idempotency-key k-1"]);
    let user = User::new(&Fake::json("429 Too Many Requests", "", r#"{"message":"Too Many Requests"}"#).url, KEY);
    assert_ends(&user.run(&["partner", "list"]), 3, &["Too Many Requests"]);
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Fake::json("200 OK", "content-type: application/json\r\n", r#"{"items":[]}"#);
    let fake = Fake::json("302 Found", &format!("location: {}/v1/partners\r\n", other.url), "");
    let user = User::new(&fake.url, KEY);
    assert_ends(&user.run(&["partner", "list"]), 1, &["redirects to", "not followed"]);
    assert_eq!(other.requests.lock().unwrap().len(), 0);
}

#[test]
fn what_is_no_deployment_is_reported() {
    let user = User::new(&Fake::json("404 Not Found", "", "<html>").url, KEY);
    assert_ends(&user.run(&["partner", "list"]), 1, &["is it a deployment of Multipartner?"]);
    let user = User::new(&Fake::json("200 OK", "content-type: text/html\r\n", "<html>").url, KEY);
    assert_ends(&user.run(&["partner", "list"]), 1, &["does not understand the response"]);
}

#[test]
fn a_secret_file_is_removed_if_the_call_fails() {
    let user = User::new("http://127.0.0.1:1", KEY);
    let file = user.file("other", "", 0o600).with_file_name("key");
    let out = file.to_str().unwrap();
    let ended = user.run(&["key", "issue", "--kind", "operator", "--name", "n", "--out", out]);
    assert_ends(&ended, 3, &[]);
    assert!(!file.exists());
    let both = user.run(&["key", "issue", "--kind", "operator", "--name", "n", "--out", out, "--json"]);
    assert_ends(&both, 2, &["either --json or --out"]);
}

#[test]
fn an_interrupt_ends_a_command_that_waits() {
    // It accepts connections and never responds.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let user = User::new(&format!("http://{}", listener.local_addr().unwrap()), KEY);
    let process = Process::spawn(user.command(&["whoami"]));
    let _connection = listener.accept().unwrap();
    let pid = process.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let (status, error) = process.end();
    // A shell reports the signal 2 as 130.
    assert_eq!((std::os::unix::process::ExitStatusExt::signal(&status), error.as_str()), (Some(2), ""));
}

#[test]
fn a_reader_that_has_gone_is_no_failure() {
    let gateway = Gateway::start();
    let user = User::new(gateway.url(), gateway.operator());
    for args in [&["policy"][..], &["policy", "--json"], &["events", "list"], &["completions", "bash"]] {
        let (status, error) = Process::spawn(user.command(args)).without_reader();
        let is_quiet = error.is_empty() || error == "Nothing found.\n";
        assert!(status.success() && is_quiet, "{args:?}: {status}: {error}");
    }
}

#[test]
fn a_secret_that_was_not_shown_is_a_failure_that_says_how_to_get_it() {
    let gateway = Gateway::start();
    let user = User::new(gateway.url(), gateway.operator());
    let issue = ["key", "issue", "--kind", "operator", "--name", "n", "--idempotency-key", "k-1"];
    let tenant = "b0b0b0b0-0000-4000-8000-000000000001";
    let enroll =
        ["partner", "enroll", "--tenant-id", tenant, "--name", "N", "--cloud", "public", "--market", "US", "--json"];
    for (args, text) in [(&issue[..], "add --idempotency-key k-1"), (&enroll, "partner rotate-secret ptr_")] {
        let (status, error) = Process::spawn(user.command(args)).without_reader();
        assert_eq!(status.code(), Some(1), "{args:?}: {error}");
        assert!(error.contains(text), "{args:?}: {error}");
    }
    // The repeat returns the same key.
    assert!(user.done(&issue).value("key").starts_with("mpk_"));
}

#[test]
fn each_exit_code_is_the_documented_one() {
    let gateway = Gateway::start();
    let user = User::new(gateway.url(), gateway.operator());
    let wrong = User::new(gateway.url(), KEY);
    let dead = User::new("http://127.0.0.1:1", KEY);
    let customers = "tenant_id,name,cloud,market\n";
    let empty = user.file("customers.csv", customers, 0o600);
    let open = user.file("open.csv", &format!("{customers}1,\"a,public,US\n2,b,public,US\n"), 0o600);
    let relationships = "subscription_id,customer_tenant_id,service,offer_id,quantity,billing_cycle,term\n";
    let other = user.file("subscriptions.csv", relationships, 0o600);
    let [empty, open, other] = [&empty, &open, &other].map(|file| file.to_str().unwrap());
    for (user, args, code) in [
        (&user, &["whoami"][..], 0),
        (&user, &["partner", "show", UNKNOWN], 1),
        (&user, &["partner", "show"], 2),
        (&user, &["listen", "--secret-file", "/nope"], 2),
        (&user, &["webhook", "sign", "--secret-file", "/nope"], 2),
        (&user, &["webhook", "sign", "--id", "a.b"], 2),
        (&user, &["import", "customers", empty, "--results", "/nope/x.csv"], 2),
        (&user, &["import", "customers", open], 2),
        (&user, &["export", "customers", "--partner-id", UNKNOWN], 2),
        (&user, &["export", "events", "--partner-id", "x"], 2),
        (&user, &["profile", "set", "x", "--url", gateway.url(), "--key-file", "-"], 2),
        (&user, &["endpoint", "change", "ep_aaaaaaaaaaaaaaaaaaaaaaaaaa", "--state", "disabled"], 2),
        (&user, &["invitation", "renew", "inv_aaaaaaaaaaaaaaaaaaaaaaaaaa"], 2),
        (&dead, &["whoami"], 3),
        (&dead, &["import", "customers", empty], 3),
        (&user, &["import", "subscriptions", other], 4),
        (&wrong, &["whoami"], 4),
        (&user, &["whoami", "--key-file", "/nope"], 4),
    ] {
        let ended = user.run(args);
        assert_eq!(ended.code, Some(code), "{args:?}: {ended:?}");
    }
    let ended = dead.run(&["partner", "list"]);
    assert!(!ended.err.contains("may have taken effect"), "{ended:?}");
}
