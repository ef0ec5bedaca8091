//! Which tests cover which rule of the domain. This checks that the table has each rule once with at least one test and
//! that each named test exists and is not ignored. It does not check that the test would fail if the rule were broken.

use std::collections::BTreeMap;
use std::path::Path;

/// Every rule, a summary, and the tests that fail if it is broken.
const RULES: &[(&str, &str, &[&str])] = &[
    (
        "MP-01",
        "both clouds are supported unless the policy denies one",
        &[
            "each_role_can_do_exactly_what_the_policy_allows_in_us_gov",
            "nothing_new_can_start_in_a_cloud_that_the_policy_denies",
        ],
    ),
    (
        "MP-02",
        "partner and customer must be in the same cloud",
        &[
            "tenant_then_relationship_then_open_invitation_then_limit_are_checked",
            "in_us_gov_an_invitation_must_request_delegated_administration",
            "enrolling_makes_an_existing_tenant_a_csp_tenant_if_cloud_and_market_match",
        ],
    ),
    (
        "MP-03",
        "only three roles can act for a partner",
        &[
            "each_role_can_do_exactly_what_the_policy_allows_in_the_public_cloud",
            "each_role_can_do_exactly_what_the_policy_allows_in_us_gov",
            "one_permitted_role_of_several_is_enough_and_is_recorded",
        ],
    ),
    (
        "MP-04",
        "permissions come from the policy and are denied by default",
        &["a_different_policy_gives_different_permissions", "unknown_roles_are_rejected"],
    ),
    (
        "MP-05",
        "only a global administrator of the customer can answer an invitation",
        &["by_link_only_a_global_administrator_can_accept"],
    ),
    (
        "MP-06",
        "resources of others return 404",
        &[
            "foreign_and_unknown_ids_get_the_same_404_on_every_route",
            "only_the_partner_of_record_can_read_a_subscription",
        ],
    ),
    (
        "MP-10",
        "a customer can have any number of partners at once",
        &[
            "a_second_partner_joins_and_existing_subscriptions_do_not_change",
            "several_partners_can_invite_one_customer",
        ],
    ),
    (
        "MP-11",
        "partners of one customer can sell different services",
        &["a_second_partner_joins_and_existing_subscriptions_do_not_change"],
    ),
    (
        "MP-12",
        "several partners can sell the same service to one customer",
        &["two_partners_sell_the_same_service_to_one_customer"],
    ),
    (
        "MP-13",
        "a relationship starts when an invitation is accepted",
        &["registration_needs_an_active_relationship", "ending_a_missing_relationship_or_grant_returns_404"],
    ),
    (
        "MP-14",
        "the policy of the cloud says whether delegated administration must be requested",
        &[
            "in_us_gov_an_invitation_must_request_delegated_administration",
            "a_decision_is_required_exactly_if_delegated_administration_is_requested",
        ],
    ),
    (
        "MP-15",
        "a customer that has a partner can be invited by another partner",
        &["a_second_partner_joins_and_existing_subscriptions_do_not_change", "a_second_partner_joins_and_sells"],
    ),
    (
        "MP-16",
        "at most one open invitation per partner and customer",
        &[
            "tenant_then_relationship_then_open_invitation_then_limit_are_checked",
            "an_expired_invitation_does_not_block_a_new_one",
            "in_an_active_relationship_a_request_for_roles_has_the_kind_grant",
            "an_invitation_that_was_replaced_has_expired",
        ],
    ),
    (
        "MP-17",
        "an invitation can be answered once, by a permitted caller",
        &[
            "each_command_does_what_the_table_says_when_pending",
            "each_command_does_what_the_table_says_when_accepted",
            "each_command_does_what_the_table_says_when_declined",
            "each_command_does_what_the_table_says_when_cancelled",
            "each_command_does_what_the_table_says_when_expired",
            "the_same_decision_again_gets_the_first_response_byte_for_byte",
            "an_invitation_expires_at_the_exact_millisecond",
            "an_expired_invitation_can_be_renewed_unless_it_was_replaced",
        ],
    ),
    (
        "MP-18",
        "partner and customer must be in the same market",
        &[
            "tenant_then_relationship_then_open_invitation_then_limit_are_checked",
            "enrolling_makes_an_existing_tenant_a_csp_tenant_if_cloud_and_market_match",
        ],
    ),
    (
        "MP-19",
        "a grant has the accepted privileges, from acceptance until its end",
        &[
            "the_customer_can_grant_less_than_requested_but_not_more",
            "an_extension_that_was_not_requested_exceeds_the_request",
            "a_grant_is_accepted_only_in_the_relationship_it_was_requested_in",
            "a_grant_expires_at_its_last_millisecond_unless_it_extends_itself",
        ],
    ),
    (
        "MP-20",
        "a grant can end alone; ending a relationship ends its grants",
        &[
            "either_side_can_end_a_grant_and_the_relationship_continues",
            "either_side_can_end_the_relationship_and_repeats_change_nothing",
            "ending_an_inactive_grant_returns_it_unchanged",
            "either_side_can_narrow_a_grant_and_a_repeat_changes_nothing",
            "nothing_can_be_widened",
        ],
    ),
    (
        "MP-21",
        "registering a subscription needs an active relationship",
        &["registration_needs_an_active_relationship", "relationship_then_tenant_then_id_are_checked"],
    ),
    (
        "MP-22",
        "the partner that registers is the partner of record",
        &[
            "a_registered_subscription_has_exactly_the_members_of_the_contract",
            "every_bad_request_gets_the_expected_response_and_writes_nothing",
            "no_command_changes_a_byte_of_an_existing_subscription",
        ],
    ),
    (
        "MP-30",
        "an existing subscription never changes",
        &[
            "no_command_changes_a_byte_of_an_existing_subscription",
            "a_subscription_can_not_be_changed_or_deleted",
            "only_register_subscription_writes_subscriptions_and_only_by_a_put_in_a_transaction",
            "the_same_registration_again_returns_the_first_record_and_writes_nothing",
        ],
    ),
    (
        "MP-31",
        "an existing subscription never moves",
        &["no_command_changes_a_byte_of_an_existing_subscription", "a_subscription_can_not_be_changed_or_deleted"],
    ),
    ("MP-32", "the account's owner never changes", &["no_command_changes_a_byte_of_an_existing_subscription"]),
    (
        "MP-33",
        "the terms of a subscription never change",
        &[
            "no_command_changes_a_byte_of_an_existing_subscription",
            "a_second_partner_joins_and_existing_subscriptions_do_not_change",
        ],
    ),
    (
        "MP-34",
        "the partner of record never changes",
        &["no_command_changes_a_byte_of_an_existing_subscription", "a_subscription_can_not_be_changed_or_deleted"],
    ),
    (
        "MP-35",
        "the end of a relationship does not change its subscriptions",
        &[
            "either_side_can_end_the_relationship_and_repeats_change_nothing",
            "no_command_changes_a_byte_of_an_existing_subscription",
            "a_suspended_partner_can_do_nothing_and_its_customers_can_leave_it",
        ],
    ),
    (
        "MP-36",
        "a used id is rejected without the name of its owner",
        &["a_used_id_is_rejected_without_information_about_its_owner"],
    ),
    (
        "MP-37",
        "webhooks and replays obey the same rules",
        &[
            "a_repeated_webhook_gets_the_first_response_byte_for_byte",
            "a_hundred_parallel_deliveries_create_one_invitation",
            "webhooks_obey_the_same_rules_as_keys",
            "the_same_idempotency_key_with_different_content_is_always_rejected",
            "a_webhook_and_a_key_register_the_same_subscription",
        ],
    ),
    (
        "MP-40",
        "a CSP tenant cannot be a customer",
        &["only_the_csp_tenant_is_rejected_as_customer", "webhooks_obey_the_same_rules_as_keys"],
    ),
    ("MP-41", "the check is by tenant, not by company", &["only_the_csp_tenant_is_rejected_as_customer"]),
    ("MP-42", "a partner's other tenant can be a customer", &["only_the_csp_tenant_is_rejected_as_customer"]),
    (
        "MP-43",
        "CSP tenants are rejected when inviting, accepting and registering",
        &[
            "a_customer_that_enrols_keeps_relationships_but_can_not_start_new_ones",
            "tenant_then_relationship_then_open_invitation_then_limit_are_checked",
            "relationship_then_tenant_then_id_are_checked",
        ],
    ),
    (
        "MP-44",
        "a partner cannot be its own customer",
        &["only_the_csp_tenant_is_rejected_as_customer", "a_policy_can_allow_csp_tenants_as_customers"],
    ),
    (
        "MP-45",
        "only an active partner can act",
        &[
            "a_suspended_partner_can_do_nothing_and_its_customers_can_leave_it",
            "a_suspended_partners_invitation_can_be_declined_but_not_accepted",
        ],
    ),
    (
        "MP-50",
        "policies are data with a version and a date, and each decision records the version",
        &[
            "a_future_policy_is_announced_and_takes_effect_at_its_time",
            "a_policy_can_allow_csp_tenants_as_customers",
            "the_event_of_a_creation_has_actor_subject_and_policy_version",
            "a_version_is_in_force_from_its_date_and_upcoming_before",
        ],
    ),
    (
        "MP-51",
        "a policy never changes past decisions",
        &[
            "a_policy_that_denies_everything_does_not_change_past_decisions",
            "a_future_policy_is_announced_and_takes_effect_at_its_time",
        ],
    ),
];

/// The ids of all rules, in order.
fn ids() -> impl Iterator<Item = String> {
    let numbers = (1..=6).chain(10..=22).chain(30..=37).chain(40..=45).chain(50..=51);
    numbers.map(|number| format!("MP-{number:02}"))
}

/// Every test of the workspace, with its file.
pub(crate) fn tests_by_name(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for part in ["tests", "shared", "functions", "local"] {
        walk(&root.join(part), &mut |file| {
            let source = std::fs::read_to_string(file).expect("a source file");
            let shown = file.strip_prefix(root).expect("a file below the root").display().to_string();
            for name in tests_of(&source) {
                found.insert(name, shown.clone());
            }
        });
    }
    found
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let hidden = path.file_name().is_some_and(|name| name == "target" || name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !hidden {
            walk(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&path);
        }
    }
}

/// The names of the functions with a test attribute.
fn tests_of(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if line.starts_with("#[ignore") {
            is_test = false;
        } else if let Some(name) = line.trim_start_matches("async ").strip_prefix("fn ") {
            if std::mem::take(&mut is_test) {
                names.push(name.split('(').next().unwrap_or_default().to_owned());
            }
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            is_test = false;
        }
    }
    names
}

#[test]
fn every_rule_has_tests_and_every_named_test_exists() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let tests = tests_by_name(root);
    assert!(ids().eq(RULES.iter().map(|(id, ..)| (*id).to_owned())), "the table must list each rule once, in order");
    let mut missing = Vec::new();
    for (id, rule, named) in RULES {
        println!("{id}  {rule}");
        assert!(!named.is_empty(), "{id} has no test");
        for name in *named {
            match tests.get(*name) {
                Some(file) => println!("       {file}: {name}"),
                None => missing.push(format!("{id}: {name}")),
            }
        }
    }
    println!("{} rules, {} tests in the workspace", RULES.len(), tests.len());
    assert!(missing.is_empty(), "these tests do not exist: {missing:#?}");
}

#[test]
fn only_functions_with_a_test_attribute_count_as_tests() {
    let source =
        "#[test]\nfn one() {\n#[tokio::test]\n/// x\nasync fn two() {\nfn three() {\n#[test]\n#[ignore]\nfn four() {\n";
    assert_eq!(tests_of(source), ["one", "two"]);
}
