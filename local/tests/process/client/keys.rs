//! Where the key comes from, and where it goes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Gateway, User};

const OTHER: &str = "mpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn a_key_comes_from_a_file_or_standard_input_or_the_environment() {
    let gateway = Gateway::start();
    let url = ["whoami", "--url", gateway.url()];
    let user = User::without_settings();
    let file = user.file("key", &format!("{}\n", gateway.operator()), 0o600);
    let with_file = [&url[..], &["--key-file", file.to_str().unwrap()]].concat();
    let ended = user.done(&with_file);
    assert_eq!((ended.value("kind").as_str(), ended.err.as_str()), ("operator", ""));
    let of_input = user.run_with(&[&url[..], &["--key-file", "-"]].concat(), gateway.operator());
    assert_eq!((of_input.code, of_input.err.as_str()), (Some(0), ""));
    // The argument comes before the environment.
    let other = User::new(gateway.url(), OTHER);
    assert_eq!(other.run(&["whoami"]).code, Some(4));
    assert_eq!(other.run(&with_file).code, Some(0));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let warned = user.done(&with_file);
    assert!(warned.err.contains("other users can read") && warned.err.contains("chmod 600"), "{warned:?}");
}

#[test]
fn a_missing_or_invalid_key_has_its_own_exit_code_and_is_never_printed() {
    let gateway = Gateway::start();
    let user = User::without_settings();
    let url = ["--url", gateway.url()];
    let malformed = user.file("malformed", "mpk_hidden", 0o600);
    let missing = user.home.0.join("missing");
    for (more, text) in [
        (vec![], "MULTIPARTNER_KEY"),
        (vec!["--key-file", malformed.to_str().unwrap()], "does not contain an access key"),
        (vec!["--key-file", missing.to_str().unwrap()], "cannot read"),
    ] {
        let ended = user.run(&[&["partner", "list"], &url[..], &more].concat());
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.err.contains(text) && !ended.err.contains("hidden"), "{ended:?}");
    }
    let unknown = User::new(gateway.url(), OTHER).run(&["partner", "list"]);
    assert_eq!(unknown.code, Some(4));
    assert!(unknown.err.contains("code: key_invalid") && !unknown.err.contains(OTHER), "{unknown:?}");
    // Open routes need no key.
    assert_eq!(user.run(&["policy", "--url", gateway.url()]).code, Some(0));
}

#[test]
fn a_profile_has_an_address_and_a_key_file() {
    let gateway = Gateway::start();
    let user = User::without_settings();
    let file = user.file("key", gateway.operator(), 0o600);
    let set = ["profile", "set", "prod", "--url", gateway.url(), "--key-file", file.to_str().unwrap()];
    user.done(&set);
    assert_eq!(user.done(&["whoami"]).value("kind"), "operator");
    assert_eq!(user.done(&["whoami", "--profile", "prod"]).value("kind"), "operator");
    // Its key goes to no other address.
    let elsewhere = user.run(&["whoami", "--url", "http://127.0.0.1:1"]);
    assert_eq!(elsewhere.code, Some(4), "{elsewhere:?}");
    let profiles = user.home.0.join("multipartner/profiles.json");
    assert_eq!(fs::metadata(&profiles).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::read_to_string(&profiles).unwrap().contains(gateway.operator()));
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(&profiles, fs::Permissions::from_mode(mode)).unwrap();
        let refused = user.run(&["whoami"]);
        assert!(refused.code == Some(2) && refused.err.contains("chmod 600"), "{refused:?}");
    }
}
