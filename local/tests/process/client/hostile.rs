//! Texts of others cannot control the terminal or look like another row.

use serde_json::json;

use super::{Fake, User};

const KEY: &str = "mpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const HOSTILE: &[&str] = &[
    "a\u{1b}[2J\u{1b}]0;title\u{7}",
    "a\nptr_forged  row",
    "a\r\u{9b}31m",
    "a\u{202e}gro\u{2066}",
    "a\u{200b}\u{e0041}",
    "日本",
];

fn is_harmless(text: &str) -> bool {
    !text.replace('\n', "").contains(domain::text::is_forbidden)
}

fn partner(name: &str) -> serde_json::Value {
    json!({
        "partner_id": "ptr_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "tenant_id": "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        "name": name,
        "cloud": "public",
        "market": "US",
        "status": "active",
        "created_at": "2026-11-22T17:40:00.000Z",
    })
}

#[test]
fn names_in_tables_are_neutralized() {
    let page = json!({"items": HOSTILE.iter().map(|name| partner(name)).collect::<Vec<_>>()}).to_string();
    let user = User::new(&Fake::json("200 OK", "content-type: application/json\r\n", &page).url, KEY);
    let listed = user.done(&["partner", "list"]);
    assert!(is_harmless(&listed.out), "{listed:?}");
    assert_eq!(listed.out.lines().count(), HOSTILE.len() + 1);
    // A program gets the document as it is.
    assert_eq!(user.done(&["partner", "list", "--json"]).out, format!("{page}\n"));
}

#[test]
fn values_of_a_record_and_of_a_problem_are_neutralized() {
    for name in HOSTILE {
        let record = json!({"partner": partner(name)}).to_string();
        let user = User::new(&Fake::json("200 OK", "content-type: application/json\r\n", &record).url, KEY);
        let shown = user.done(&["partner", "show", "ptr_aaaaaaaaaaaaaaaaaaaaaaaaaa"]);
        assert!(is_harmless(&shown.out) && shown.out.lines().count() == 7, "{shown:?}");
        let problem = json!({"type": name, "title": name, "detail": name, "code": name, "instance": format!("urn:request:{name}")});
        let headers = "content-type: application/problem+json\r\n";
        let user = User::new(&Fake::json("409 Conflict", headers, &problem.to_string()).url, KEY);
        let rejected = user.run(&["partner", "show", "ptr_aaaaaaaaaaaaaaaaaaaaaaaaaa"]);
        assert!(rejected.code == Some(1) && is_harmless(&rejected.err), "{rejected:?}");
    }
}
