//! Every error code has a black-box test that produces it.

use std::collections::BTreeMap;

use platform::http_api::Code;
use tests::cases::Cases;

use crate::corpus::{EVENTS, REQUESTS};

/// Codes that need more than one request: the file and the test.
const SCRIPTED: &[(&str, &str, &str)] = &[
    ("accept_proof_required", "accept.rs", "if_the_policy_requires_a_customer_key_a_link_can_not_accept"),
    ("partner_not_active", "administer.rs", "a_suspended_partner_can_do_nothing_and_its_customers_can_leave_it"),
    ("cloud_not_supported", "invitations.rs", "nothing_new_can_start_in_a_cloud_that_the_policy_denies"),
    ("invitation_pending", "invitations.rs", "an_expired_invitation_does_not_block_a_new_one"),
    ("relationship_active", "invitations.rs", "in_an_active_relationship_a_request_for_roles_has_the_kind_grant"),
    ("invalid_transition", "accept.rs", "a_grant_is_accepted_only_in_the_relationship_it_was_requested_in"),
    ("tenant_exists", "administer.rs", "registering_a_customer_again_returns_it_unchanged"),
    ("partner_exists", "administer.rs", "enrolling_a_partner_again_returns_it_unchanged_with_its_current_secret"),
    ("rotation_in_progress", "administer.rs", "a_rotated_secret_works_until_its_grace_period_ends"),
    ("endpoint_exists", "endpoints.rs", "an_endpoint_is_created_once_under_an_idempotency_key"),
    ("endpoint_limit", "endpoints.rs", "an_owner_has_at_most_ten_endpoints_and_deleting_one_makes_room"),
    ("endpoint_url_forbidden", "endpoints.rs", "endpoint_urls_must_be_public_https_addresses"),
    ("invitation_expired", "accept.rs", "an_invitation_expires_at_the_exact_millisecond"),
    ("delegated_admin_required", "invitations.rs", "in_us_gov_an_invitation_must_request_delegated_administration"),
    ("rate_limited", "invitations.rs", "five_invitations_per_customer_are_allowed_each_utc_day"),
    ("internal", "openness.rs", "a_panic_in_a_handler_returns_500_without_details"),
];

/// Codes that need an injected fault, in `tests/store/faults.rs`.
const BY_FAULTS: &[&str] = &["contention", "throttled", "outcome_unknown", "idempotency_in_progress"];
const FAULTS: &str = include_str!("../store/faults.rs");

fn source(file: &str) -> &'static str {
    match file {
        "accept.rs" => include_str!("accept.rs"),
        "administer.rs" => include_str!("administer.rs"),
        "endpoints.rs" => include_str!("../webhooks/endpoints.rs"),
        "invitations.rs" => include_str!("invitations.rs"),
        "openness.rs" => include_str!("openness.rs"),
        _ => panic!("{file} is not looked into"),
    }
}

/// The text of a test.
fn body<'a>(source: &'a str, name: &str) -> Option<&'a str> {
    let from = source.find(&format!("async fn {name}() {{"))?;
    let rest = &source[from..];
    Some(&rest[..rest.find("\n}\n").unwrap_or(rest.len())])
}

#[test]
fn every_code_is_produced_by_a_test() {
    let mut produced: BTreeMap<String, String> = BTreeMap::new();
    for (file, cases) in [("bad-requests.json", Cases::read(REQUESTS)), ("bad-events.json", Cases::read(EVENTS))] {
        let mut counts: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        for case in cases.cases.iter().filter(|case| !["", "gateway"].contains(&case.expected.code.as_str())) {
            counts.entry(&case.expected.code).or_insert((0, &case.name)).0 += 1;
        }
        for (code, (count, first)) in counts {
            produced.entry(code.into()).or_insert_with(|| format!("data/{file}: {count} cases, the first: {first}"));
        }
    }
    for (code, file, test) in SCRIPTED {
        let body = body(source(file), test).unwrap_or_else(|| panic!("{file} has no test {test}"));
        assert!(body.contains(&format!("\"{code}\"")), "{file}: {test} does not name {code}");
        produced.insert(
            (*code).to_owned(),
            format!("{}/{file}: {test}", if *file == "endpoints.rs" { "webhooks" } else { "api" }),
        );
    }
    for code in BY_FAULTS {
        assert!(FAULTS.contains(&format!("\"{code}\"")), "store/faults.rs does not name {code}");
        let before = produced.insert((*code).to_owned(), "store/faults.rs: an injected fault".into());
        assert_eq!(before, None, "{code} needs no fault");
    }
    for code in Code::ALL {
        let by = produced.get(code.name()).unwrap_or_else(|| panic!("nothing produces {}", code.name()));
        println!("{} {:<28} {by}", code.status(), code.name());
    }
    let known = |name: &str| Code::ALL.iter().any(|code| code.name() == name);
    let unknown: Vec<_> = produced.keys().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "unknown codes: {unknown:?}");
}
