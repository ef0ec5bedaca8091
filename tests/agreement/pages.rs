//! The pages and the codes of the API: every code that a page can receive is shown in words.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::catalog;

use crate::sources::root;

/// A page: its scripts, its words, and the routes that it calls. `GET /v1/me` and `GET /v1/policy` are not listed: without a
/// session or a policy, the page shows what it can.
struct Page {
    name: &'static str,
    scripts: &'static [&'static str],
    words: &'static [&'static str],
    routes: &'static [&'static str],
}

const LINK: &[&str] = &["preview", "accept", "decline"];

const PAGES: &[Page] = &[
    Page {
        name: "invitation",
        scripts: &["invitation/invitation.js", "invitation/answer.js", "shared/session.js", "shared/page.js"],
        words: &["shared/shared", "invitation/answer"],
        routes: &[
            "POST /v1/invitations/{invitation_id}/preview",
            "POST /v1/invitations/{invitation_id}/accept",
            "POST /v1/invitations/{invitation_id}/decline",
            "GET /v1/customers/{tenant_id}/invitations/{invitation_id}",
            "POST /v1/customers/{tenant_id}/invitations/{invitation_id}/accept",
            "POST /v1/customers/{tenant_id}/invitations/{invitation_id}/decline",
            "POST /v1/sign-in",
            "DELETE /v1/sessions/current",
        ],
    },
    Page {
        name: "signed-in",
        scripts: &["signed-in/signed-in.js", "shared/session.js", "shared/page.js"],
        words: &["shared/shared", "signed-in/signed-in"],
        routes: &["POST /v1/sessions", "POST /v1/sign-in"],
    },
    // Invitations that are answered in this page are those of the first page.
    Page {
        name: "customer",
        scripts: &["customer/customer.js", "shared/session.js", "shared/page.js"],
        words: &["shared/shared", "customer/customer"],
        routes: &[
            "GET /v1/customers/{tenant_id}",
            "GET /v1/customers/{tenant_id}/partners",
            "GET /v1/customers/{tenant_id}/invitations",
            "GET /v1/customers/{tenant_id}/subscriptions",
            "GET /v1/customers/{tenant_id}/events",
            "GET /v1/customers/{tenant_id}/grants",
            "DELETE /v1/customers/{tenant_id}/partners/{partner_id}",
            "PATCH /v1/customers/{tenant_id}/grants/{grant_id}",
            "DELETE /v1/customers/{tenant_id}/grants/{grant_id}",
            "POST /v1/sign-in",
            "DELETE /v1/sessions/current",
        ],
    },
    Page {
        name: "partner",
        scripts: &["partner/partner.js", "partner/invite.js", "shared/page.js"],
        words: &["shared/shared", "partner/partner"],
        routes: &[
            "GET /v1/partners/{partner_id}",
            "GET /v1/partners/{partner_id}/invitations",
            "GET /v1/partners/{partner_id}/customers",
            "GET /v1/partners/{partner_id}/events",
            "GET /v1/partners/{partner_id}/grants",
            "GET /v1/partners/{partner_id}/endpoints",
            "GET /v1/partners/{partner_id}/endpoints/{endpoint_id}/deliveries",
            "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/resend",
            "POST /v1/partners/{partner_id}/invitations",
            "POST /v1/partners/{partner_id}/invitations/{invitation_id}/renew",
            "POST /v1/partners/{partner_id}/invitations/{invitation_id}/cancel",
            "DELETE /v1/partners/{partner_id}/grants/{grant_id}",
            "DELETE /v1/partners/{partner_id}/customers/{tenant_id}",
        ],
    },
];

/// Codes that a page cannot receive, because its scripts write every request in the same form.
const NEVER: &[&str] = &[
    "body_encoding_invalid",
    "body_missing",
    "body_too_large",
    "event_malformed",
    "header_repeated",
    "idempotency_key_invalid",
    "idempotency_key_missing",
    // What changed gets a new key.
    "idempotency_key_reused",
    "json_duplicate_key",
    "json_invalid",
    "json_too_deep",
    "media_type_unsupported",
    "not_acceptable",
];

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join("functions/web/pages").join(name)).expect("a file of the pages")
}

/// Whether a script names the code, so that it does something of its own.
fn names(script: &str, code: &str) -> bool {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    script.match_indices(code).any(|(at, _)| {
        let (before, after) = (script[..at].chars().next_back(), script[at + code.len()..].chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[test]
fn every_code_that_a_page_can_receive_is_shown_in_words() {
    let catalog = catalog();
    let mut wordless = Vec::new();
    for page in PAGES {
        let scripts: String = page.scripts.iter().map(|name| read(name)).collect();
        let words: [BTreeSet<String>; 2] = ["en", "fr"].map(|language| {
            let files = page.words.iter().map(|name| read(&format!("{name}.{language}.json")));
            let files = files.map(|text| serde_json::from_str::<Value>(&text).expect("words"));
            files.flat_map(|file| file.as_object().expect("an object").keys().cloned().collect::<Vec<_>>()).collect()
        });
        let mut codes = BTreeSet::new();
        for route in page.routes {
            let operation = catalog.operations.iter().find(|operation| operation.key == *route);
            let operation = operation.unwrap_or_else(|| panic!("there is no route {route}"));
            // The pages show one text for every failure of the service: whether it arrived is unknown.
            let shown = |code: &&platform::http_api::Code| code.status() < 500 || code.name() == "provider_unavailable";
            codes.extend(operation.codes.iter().filter(shown).map(|code| code.name()));
        }
        assert!(read("shared/page.js").contains("status > 499 && code !== 'provider_unavailable' ? 'unknown'"));
        for code in codes.into_iter().filter(|code| !NEVER.contains(code)) {
            let key = format!("code {code}");
            if !words.iter().all(|words| words.contains(&key)) && !names(&scripts, code) {
                wordless.push(format!("{}: {code}", page.name));
            }
        }
    }
    assert!(wordless.is_empty(), "{wordless:#?}");
    // Every route that a script calls by link is in the list above.
    let answer = read("invitation/answer.js");
    assert!(LINK.iter().all(|action| answer.contains(&format!("/{action}"))));
}
