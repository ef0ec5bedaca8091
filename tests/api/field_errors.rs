//! Wrong members and parameters: each has exactly one error, at its own place, and each code has one meaning.

use std::collections::BTreeSet;

use platform::describe::Operation;
use serde_json::{Value, json};
use tests::parties::registration;
use tests::{Answer, Customer, catalog};

use crate::coverage::request::Request;
use crate::coverage::scene::Scene;

/// A member, a wrong value for it, and the code of the one error, which names this member.
type Row = (String, Value, &'static str);

/// A change to a valid body, and all errors.
type Case = (Value, Vec<(&'static str, &'static str)>);

#[tokio::test(start_paused = true)]
async fn one_fault_in_a_body_is_one_error_at_its_place() {
    let scene = Scene::new().await;
    let (mut wrong, mut count, mut described) = (Vec::new(), 0, BTreeSet::new());
    for operation in catalog().operations.iter().filter(|operation| operation.body.is_some()) {
        let base = scene.base(operation.key).await.request;
        // Pointers are into the whole body, and the members of a webhook are in its data.
        let inside = if operation.key.contains("/webhooks/") { "/data" } else { "" };
        let rows = rows(operation.key);
        if !rows.is_empty() {
            described.insert(operation.key);
        }
        let mut check = async |what: String, request: Request, expected: Vec<(String, String)>| {
            let found = errors(&scene.send(&request).await);
            if found != expected {
                wrong.push(format!("{} · {what}: {found:?} and not {expected:?}", operation.key));
            }
            count += 1;
        };
        for (pointer, value, code) in everywhere().into_iter().chain(rows) {
            let request = base.clone().edit(|body| set(body, &pointer, &value));
            check(
                format!("{pointer} = {}", cut(&value)),
                request,
                vec![(format!("{inside}{pointer}"), code.to_owned())],
            )
            .await;
        }
        for (change, expected) in cases(operation.key) {
            let request = base.clone().edit(|body| merge(body, &change));
            let expected =
                expected.iter().map(|(pointer, code)| (format!("{inside}{pointer}"), (*code).to_owned())).collect();
            check(cut(&change), request, expected).await;
        }
    }
    println!("{count} bodies");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(described, with_members(&catalog().operations), "each body that has members has rows");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_has_errors_of_its_envelope_or_of_its_data() {
    let scene = Scene::new().await;
    for key in ["POST /v1/webhooks/{partner_id}/invitations", "POST /v1/webhooks/{partner_id}/subscriptions"] {
        let base = scene.base(key).await.request;
        let envelope: Value = serde_json::from_slice(base.body.as_deref().expect("a body")).expect("JSON");
        let cases = [
            (json!({"type": null}), vec![("/type", "type")]),
            (json!({"type": 5}), vec![("/type", "type")]),
            (json!({"data": null}), vec![("/data", "type")]),
            (json!({"data": 5}), vec![("/data", "type")]),
            (json!({"nonsense": 5}), vec![("/nonsense", "unknown")]),
            (json!({"timestamp": 5, "nonsense": 5}), vec![("/nonsense", "unknown")]),
        ];
        for (change, expected) in cases {
            let mut body = envelope.clone();
            merge(&mut body, &change);
            assert_errors(&scene.send(&base.clone().json(&body)).await, &expected);
        }
        for absent in ["type", "data"] {
            let mut body = envelope.clone();
            body.as_object_mut().expect("an object").remove(absent);
            let pointer = format!("/{absent}");
            assert_errors(&scene.send(&base.clone().json(&body)).await, &[(pointer.as_str(), "required")]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_object_is_one_error() {
    let scene = Scene::new().await;
    for operation in catalog().operations.iter().filter(|operation| operation.body.is_some()) {
        let base = scene.base(operation.key).await.request;
        for body in [json!([]), json!("text"), json!(5), json!(null), json!(true)] {
            assert_errors(&scene.send(&base.clone().json(&body)).await, &[("", "type")]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_fault_in_a_query_is_one_error_at_its_parameter() {
    let scene = Scene::new().await;
    let mut count = 0;
    for operation in &catalog().operations {
        let names: BTreeSet<_> = operation.parameters.iter().map(|parameter| parameter.name).collect();
        if !names.contains("limit") {
            continue;
        }
        let base = scene.base(operation.key).await.request;
        let mut queries: Vec<Query> = LIST_QUERIES.to_vec();
        queries.extend(FILTER_QUERIES.iter().filter(|(query, _)| query.iter().all(|(name, _)| names.contains(name))));
        for (query, expected) in queries {
            let mut request = base.clone();
            request.query = query.iter().copied().collect();
            assert_errors(&scene.send(&request).await, expected);
            count += 1;
        }
        for filter in ["state", "subject", "after", "ends_before"].into_iter().filter(|filter| !names.contains(filter))
        {
            let mut request = base.clone();
            request.query.insert(filter, "x");
            assert_errors(&scene.send(&request).await, &[(format!("?{filter}").as_str(), "unknown")]);
            count += 1;
        }
    }
    println!("{count} queries");
}

type Query = (&'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)]);

const LIST_QUERIES: &[Query] = &[
    (&[("limit", "ten")], &[("?limit", "type")]),
    (&[("limit", "")], &[("?limit", "type")]),
    (&[("limit", "1.5")], &[("?limit", "type")]),
    (&[("limit", "1,2")], &[("?limit", "type")]),
    (&[("limit", "-")], &[("?limit", "type")]),
    (&[("limit", "0")], &[("?limit", "range")]),
    (&[("limit", "101")], &[("?limit", "range")]),
    (&[("limit", "-1")], &[("?limit", "range")]),
    (&[("limit", "99999999999999999999")], &[("?limit", "range")]),
    (&[("nonsense", "1")], &[("?nonsense", "unknown")]),
    (&[("Limit", "1")], &[("?Limit", "unknown")]),
    (&[("limit", "ten"), ("nonsense", "1")], &[("?limit", "type"), ("?nonsense", "unknown")]),
];

const FILTER_QUERIES: &[Query] = &[
    (&[("state", "open")], &[("?state", "value")]),
    (&[("state", "")], &[("?state", "value")]),
    (&[("state", "Pending")], &[("?state", "value")]),
    (&[("state", "pending,expired")], &[("?state", "value")]),
    (&[("state", "open"), ("limit", "0")], &[("?state", "value"), ("?limit", "range")]),
    (&[("ends_before", "")], &[("?ends_before", "format")]),
    (&[("ends_before", "2026-11-22")], &[("?ends_before", "format")]),
    (&[("ends_before", "2026-11-22T12:00:00+01:00")], &[("?ends_before", "format")]),
    (&[("ends_before", "1795369200123")], &[("?ends_before", "format")]),
    (&[("ends_before", "noon"), ("state", "open")], &[("?state", "value"), ("?ends_before", "format")]),
    (&[("subject", "")], &[("?subject", "format")]),
    (&[("subject", "a#b")], &[("?subject", "format")]),
    (&[("after", ""), ("cursor", "x")], &[("?after", "value")]),
];

/// Operations whose body has members.
fn with_members(operations: &[Operation]) -> BTreeSet<&'static str> {
    let has_members = |operation: &&Operation| {
        let schema = operation.body.as_ref().map(|body| &body.schema["$ref"]);
        schema.is_some_and(|name| name != "#/components/schemas/Empty")
    };
    operations.iter().filter(has_members).map(|operation| operation.key).collect()
}

fn errors(answer: &Answer) -> Vec<(String, String)> {
    let problem = answer.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = problem["errors"].as_array().into_iter().flatten();
    let mut errors: Vec<_> = errors.map(|error| (text(&error["pointer"]), text(&error["code"]))).collect();
    if errors.is_empty() {
        errors.push((answer.status.to_string(), answer.code()));
    }
    errors
}

#[track_caller]
fn assert_errors(answer: &Answer, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect();
    assert_eq!(errors(answer), expected);
}

fn cut(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

/// Stands for a member that is removed.
fn absent() -> Value {
    json!({"absent": true})
}

/// Sets the value at a pointer. The index after the last element adds one. Index 0 of an absent list adds the list.
fn set(body: &mut Value, pointer: &str, value: &Value) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    if name == "0" && body.pointer(parent).is_none() {
        set(body, parent, &json!([]));
    }
    match body.pointer_mut(parent) {
        Some(Value::Object(members)) if *value == absent() => drop(members.remove(name)),
        Some(Value::Object(members)) => drop(members.insert(name.to_owned(), value.clone())),
        Some(Value::Array(elements)) => {
            let index: usize = name.parse().expect("an index");
            elements.truncate(index);
            elements.push(value.clone());
        }
        _ => panic!("{pointer} has no parent"),
    }
}

/// Sets members.
fn merge(body: &mut Value, change: &Value) {
    for (name, value) in change.as_object().expect("members") {
        set(body, &format!("/{name}"), value);
    }
}

/// Rows for every body.
fn everywhere() -> Vec<Row> {
    rows_of("/nonsense", &[(json!(1), "unknown"), (json!(null), "unknown")])
}

fn rows_of(pointer: &str, values: &[(Value, &'static str)]) -> Vec<Row> {
    values.iter().map(|(value, code)| (pointer.to_owned(), value.clone(), *code)).collect()
}

fn required(pointer: &str) -> Vec<Row> {
    rows_of(pointer, &[(absent(), "required"), (json!(null), "type")])
}

fn text(pointer: &str) -> Vec<Row> {
    rows_of(pointer, &[(json!(5), "type"), (json!(true), "type"), (json!(["a"]), "type"), (json!({"a": 1}), "type")])
}

fn line(pointer: &str, most: usize) -> Vec<Row> {
    let long = "a".repeat(most + 1);
    let values = [(json!(""), "range"), (json!(long), "range"), (json!(" a"), "format"), (json!("a\nb"), "format")];
    [text(pointer), rows_of(pointer, &values)].concat()
}

fn paragraph(pointer: &str) -> Vec<Row> {
    let long = "a".repeat(1_001);
    let values = [(json!(""), "range"), (json!(long), "range"), (json!("a\u{7}b"), "format")];
    [text(pointer), rows_of(pointer, &values)].concat()
}

fn of_form(pointer: &str) -> Vec<Row> {
    [text(pointer), rows_of(pointer, &[(json!("a b"), "format"), (json!("ä"), "format")])].concat()
}

fn word(pointer: &str) -> Vec<Row> {
    [text(pointer), rows_of(pointer, &[(json!("nonsense"), "value"), (json!(""), "value")])].concat()
}

fn whole(pointer: &str, least: i64, most: i64) -> Vec<Row> {
    let values = [
        (json!(least.to_string()), "type"),
        (json!(1.5), "type"),
        (json!(1.0), "type"),
        (json!(true), "type"),
        (json!(least - 1), "range"),
        (json!(-1), "range"),
        (json!(most + 1), "range"),
        (json!(u64::MAX), "range"),
        (json!(1e30), "range"),
    ];
    rows_of(pointer, &values)
}

fn delegated_admin() -> Vec<Row> {
    let roles = "/delegated_admin/roles";
    let duration = "/delegated_admin/duration";
    let days = [
        (json!("1Y"), "format"),
        (json!("p365d"), "format"),
        (json!("P007D"), "format"),
        (json!("P-1D"), "format"),
        (json!("PD"), "format"),
        (json!("P0D"), "range"),
        (json!("P731D"), "range"),
        (json!("P99999999999D"), "range"),
    ];
    let many: Vec<_> = (0..200).map(|number| number.to_string()).collect();
    [
        required(roles),
        rows_of(roles, &[(json!("a"), "type"), (json!([]), "range"), (json!(many), "range")]),
        rows_of(&format!("{roles}/0"), &[(json!("nonsense"), "value"), (json!(5), "type"), (json!(null), "type")]),
        rows_of(&format!("{roles}/1"), &[(json!("directory_readers"), "value"), (json!("nonsense"), "value")]),
        required(duration),
        text(duration),
        rows_of(duration, &days),
        rows_of("/delegated_admin/auto_extend", &[(json!("yes"), "type"), (json!(1), "type")]),
        rows_of("/delegated_admin/nonsense", &[(json!(1), "unknown")]),
    ]
    .concat()
}

fn tenant() -> Vec<Row> {
    [
        required("/tenant_id"),
        of_form("/tenant_id"),
        required("/name"),
        line("/name", 100),
        required("/cloud"),
        word("/cloud"),
        rows_of("/cloud", &[(json!("Public"), "value")]),
        required("/market"),
        of_form("/market"),
        rows_of("/market", &[(json!("us"), "format"), (json!("USA"), "format"), (json!("UK"), "format")]),
    ]
    .concat()
}

fn person() -> Vec<Row> {
    [
        required("/accepted_by"),
        rows_of("/accepted_by", &[(json!(5), "type"), (json!("Avery"), "type")]),
        rows_of("/accepted_by/nonsense", &[(json!(1), "unknown")]),
        required("/accepted_by/name"),
        line("/accepted_by/name", 100),
        required("/accepted_by/email"),
        of_form("/accepted_by/email"),
        rows_of("/delegated_admin", &[(absent(), "required"), (json!(null), "required"), (json!("all"), "value")]),
        rows_of("/delegated_admin", &[(json!(5), "type"), (json!(true), "type"), (json!([]), "type")]),
    ]
    .concat()
}

fn endpoint() -> Vec<Row> {
    let types = [(json!("a"), "type"), (json!(5), "type"), (json!([]), "range")];
    [text("/url"), rows_of("/event_types", &types), line("/description", 1_000)].concat()
}

/// The rows of a route's body; none if it has no members.
fn rows(key: &str) -> Vec<Row> {
    let invitation = || {
        [
            required("/customer_tenant_id"),
            of_form("/customer_tenant_id"),
            rows_of("/delegated_admin", &[(absent(), "required"), (json!("all"), "type"), (json!([]), "type")]),
            delegated_admin(),
            paragraph("/message"),
            of_form("/contact_email"),
            line("/external_reference", 100),
            whole("/expires_in_days", 1, 90),
        ]
        .concat()
    };
    let registration = || {
        [
            required("/subscription_id"),
            of_form("/subscription_id"),
            required("/customer_tenant_id"),
            of_form("/customer_tenant_id"),
            required("/service"),
            line("/service", 100),
            required("/offer_id"),
            line("/offer_id", 100),
            required("/quantity"),
            whole("/quantity", 1, 1_000_000_000),
            required("/billing_cycle"),
            word("/billing_cycle"),
            required("/term"),
            word("/term"),
            line("/friendly_name", 100),
            line("/external_reference", 100),
            of_form("/started_on"),
            rows_of("/started_on", &[(json!("2026-11-31"), "format"), (json!("2026-11-22T00:00:00Z"), "format")]),
            rows_of("/started_on", &[(json!("2126-11-22"), "range")]),
            text("/partner_of_record"),
        ]
        .concat()
    };
    let last = key.rsplit('/').next().unwrap_or_default();
    match (key, last) {
        ("POST /v1/customers" | "POST /v1/partners", _) => {
            let personal = rows_of("/tenant_id", &[(json!("9188040D-6c67-4c5b-b112-36a304b66dad"), "value")]);
            [tenant(), personal, of_form("/domain")].concat()
        }
        ("POST /v1/keys", _) => [
            required("/principal"),
            rows_of("/principal", &[(json!("operator"), "type")]),
            rows_of("/principal/nonsense", &[(json!(1), "unknown")]),
            rows_of("/principal/id", &[(json!("a"), "unknown")]),
            required("/principal/kind"),
            word("/principal/kind"),
            required("/roles"),
            rows_of("/roles", &[(json!("global_admin"), "type")]),
            rows_of("/roles/0", &[(json!("nonsense"), "value"), (json!(5), "type")]),
            required("/name"),
            line("/name", 100),
        ]
        .concat(),
        ("PATCH /v1/customers/{tenant_id}" | "PATCH /v1/partners/{partner_id}", _) => {
            let market = rows_of("/market", &[(json!("us"), "format"), (json!("USA"), "format")]);
            let cloud = if key.contains("customers") { word("/cloud") } else { Vec::new() };
            [line("/name", 100), of_form("/domain"), of_form("/market"), market, cloud].concat()
        }
        (_, "invitations") => invitation(),
        (_, "subscriptions") => registration(),
        (_, "batch") => {
            let list = "/subscriptions";
            let of_first = registration().into_iter();
            let of_first = of_first.map(|(pointer, value, code)| (format!("{list}/0{pointer}"), value, code));
            let many = json!(vec![json!({}); 41]);
            [
                required(list),
                rows_of(list, &[(json!(5), "type"), (json!("a"), "type"), (json!({"a": 1}), "type")]),
                rows_of(list, &[(json!([]), "range"), (many, "range")]),
                rows_of(&format!("{list}/0"), &[(json!(5), "type"), (json!(null), "type"), (json!([]), "type")]),
                rows_of(&format!("{list}/0/nonsense"), &[(json!(1), "unknown")]),
                of_first.collect(),
            ]
            .concat()
        }
        (_, "{tenant_id}") if key.starts_with("PUT") => [
            required("/since"),
            text("/since"),
            rows_of("/since", &[(json!("noon"), "format"), (json!("2020-02-29"), "format")]),
            rows_of("/since", &[(json!("2126-11-22T00:00:00Z"), "range")]),
            line("/external_reference", 100),
        ]
        .concat(),
        (_, "rotate") => [required("/grace_hours"), whole("/grace_hours", 0, 24)].concat(),
        (_, "renew") => [whole("/expires_in_days", 1, 90), paragraph("/message"), delegated_admin()].concat(),
        (_, "endpoints") => [required("/url"), endpoint()].concat(),
        (_, "{endpoint_id}") if key.starts_with("PATCH") => {
            [endpoint(), word("/state"), rows_of("/state", &[(json!("pending"), "value")])].concat()
        }
        (_, "{grant_id}") if key.starts_with("PATCH") => [
            rows_of("/roles", &[(json!("a"), "type"), (json!([]), "range")]),
            rows_of("/roles/0", &[(json!("nonsense"), "value"), (json!(5), "type")]),
            text("/ends_at"),
            rows_of("/ends_at", &[(json!("noon"), "format"), (json!("2026-12-22"), "format")]),
            rows_of("/auto_extend", &[(json!("no"), "type"), (json!(0), "type")]),
        ]
        .concat(),
        ("POST /v1/sign-in", _) => [
            required("/tenant_id"),
            of_form("/tenant_id"),
            required("/cloud"),
            word("/cloud"),
            of_form("/invitation_id"),
        ]
        .concat(),
        ("POST /v1/sessions", _) => [
            required("/cloud"),
            word("/cloud"),
            required("/code"),
            of_form("/code"),
            required("/state"),
            text("/state"),
            text("/iss"),
        ]
        .concat(),
        (_, "resend") => of_form("/event_id"),
        (_, "preview") => [required("/token"), text("/token")].concat(),
        ("POST /v1/invitations/{invitation_id}/decline", _) => {
            [required("/token"), text("/token"), paragraph("/reason")].concat()
        }
        (_, "decline") => paragraph("/reason"),
        ("POST /v1/invitations/{invitation_id}/accept", _) => {
            let role = rows_of("/accepted_by/role", &[(absent(), "required")]);
            [required("/token"), text("/token"), person(), role].concat()
        }
        (_, "accept") => {
            let foreign = |pointer| rows_of(pointer, &[(json!("global_admin"), "unknown")]);
            let version = [required("/version"), whole("/version", 1, i64::from(u32::MAX))].concat();
            [version, person(), foreign("/accepted_by/role"), foreign("/token")].concat()
        }
        _ => Vec::new(),
    }
}

/// Bodies in which members do not fit together, or in which several are wrong.
fn cases(key: &str) -> Vec<Case> {
    let admin = |roles: Value, auto_extend: bool| json!({"delegated_admin": {"roles": roles, "duration": "P365D", "auto_extend": auto_extend}});
    let auto_extend = vec![("/delegated_admin/auto_extend", "value")];
    let last = key.rsplit('/').next().unwrap_or_default();
    match (key, last) {
        ("POST /v1/keys", _) => key_cases(),
        (_, "invitations") => vec![
            (admin(json!(["directory_readers", "global_administrator"]), true), auto_extend),
            (admin(json!(["nonsense", "global_administrator"]), true), vec![("/delegated_admin/roles/0", "value")]),
            (
                json!({"customer_tenant_id": "a", "expires_in_days": 0, "nonsense": 1}),
                vec![("/customer_tenant_id", "format"), ("/expires_in_days", "range"), ("/nonsense", "unknown")],
            ),
        ],
        (_, "subscriptions") => vec![
            (json!({"billing_cycle": "annual", "term": "P1M"}), vec![("/billing_cycle", "value")]),
            (json!({"billing_cycle": "triennial", "term": "P1M"}), vec![("/billing_cycle", "value")]),
            (json!({"billing_cycle": "triennial", "term": "P1Y"}), vec![("/billing_cycle", "value")]),
            (json!({"billing_cycle": "yearly", "term": "P1M"}), vec![("/billing_cycle", "value")]),
        ],
        (_, "batch") => batch_cases(),
        (_, "accept") => vec![
            (admin(json!(["global_administrator"]), true), auto_extend),
            (admin(json!([]), false), vec![("/delegated_admin/roles", "range")]),
            (admin(json!(["directory_readers", 5]), false), vec![("/delegated_admin/roles/1", "type")]),
            (
                json!({"delegated_admin": {"duration": "P0D"}}),
                vec![("/delegated_admin/roles", "required"), ("/delegated_admin/duration", "range")],
            ),
        ],
        (_, "endpoints" | "{endpoint_id}") if !key.starts_with("DELETE") => vec![
            (json!({"event_types": ["nonsense"]}), vec![("/event_types/0", "value")]),
            (json!({"event_types": ["key.issued", 5]}), vec![("/event_types/1", "type")]),
            (json!({"event_types": ["key.issued", "key.issued"]}), vec![("/event_types/1", "value")]),
        ],
        (_, "resend") => {
            let since = "2026-11-22T12:00:00Z";
            let message = format!("msg_{}", "a".repeat(26));
            vec![
                (json!({"event_id": absent()}), vec![("/event_id", "required")]),
                (json!({"event_id": null, "since": null}), vec![("/event_id", "required")]),
                (json!({"since": since}), vec![("/since", "value")]),
                (json!({"since": "noon"}), vec![("/since", "format")]),
                (json!({"event_id": absent(), "since": "noon"}), vec![("/since", "format")]),
                (json!({"event_id": absent(), "since": 5}), vec![("/since", "type")]),
                (json!({"event_id": "a", "since": since}), vec![("/event_id", "format")]),
                (json!({"event_id": "a", "since": 5}), vec![("/event_id", "format"), ("/since", "type")]),
                (json!({"event_id": message}), vec![("/event_id", "value")]),
            ]
        }
        _ => Vec::new(),
    }
}

/// Batches in which something is wrong anywhere.
fn batch_cases() -> Vec<Case> {
    let customer =
        |digit: u8| Customer { tenant_id: format!("0000000{digit}-0000-4000-8000-000000000000"), key: String::new() };
    let one = |id: &str| registration(id, &customer(1));
    let with = |id: &str, member: &str, value: Value| {
        let mut body = one(id);
        body[member] = value;
        body
    };
    let batch = |bodies: &[Value]| json!({"subscriptions": bodies});
    vec![
        (
            batch(&[one("a"), registration("b", &customer(2)), one("c"), registration("d", &customer(3))]),
            vec![("/subscriptions/1/customer_tenant_id", "value"), ("/subscriptions/3/customer_tenant_id", "value")],
        ),
        (
            batch(&[one("a"), with("b", "quantity", json!(0)), with("c", "term", json!("P2Y")), json!(5)]),
            vec![
                ("/subscriptions/1/quantity", "range"),
                ("/subscriptions/2/term", "value"),
                ("/subscriptions/3", "type"),
            ],
        ),
        (
            batch(&[one("a"), with("b", "billing_cycle", json!("annual"))]),
            vec![("/subscriptions/1/billing_cycle", "value")],
        ),
        (batch(&[one("a"), with("b", "transfer", json!(true))]), vec![("/subscriptions/1/transfer", "unknown")]),
    ]
}

fn key_cases() -> Vec<Case> {
    let partner = format!("ptr_{}", "a".repeat(26));
    let tenant = "00000000-0000-4000-8000-000000000000";
    let key = |kind: &str, id: Value, roles: Value| json!({"principal": {"kind": kind, "id": id}, "roles": roles});
    let without_id = |kind: &str| json!({"principal": {"kind": kind}, "roles": ["global_admin"]});
    vec![
        (key("reseller", json!("a"), json!([])), vec![("/principal/kind", "value")]),
        (key("reseller", json!("a"), json!(["nonsense"])), vec![("/principal/kind", "value"), ("/roles/0", "value")]),
        (key("operator", json!(null), json!(["global_admin"])), vec![("/roles", "range")]),
        (key("operator", json!(partner), json!([])), vec![("/principal/id", "unknown")]),
        (without_id("partner"), vec![("/principal/id", "required")]),
        (without_id("customer"), vec![("/principal/id", "required")]),
        (key("partner", json!("a"), json!(["global_admin"])), vec![("/principal/id", "format")]),
        (key("partner", json!(tenant), json!(["global_admin"])), vec![("/principal/id", "format")]),
        (key("partner", json!(5), json!(["global_admin"])), vec![("/principal/id", "type")]),
        (key("customer", json!(partner), json!(["global_admin"])), vec![("/principal/id", "format")]),
        (key("customer", json!(5), json!(["global_admin"])), vec![("/principal/id", "type")]),
        (key("partner", json!(partner), json!([])), vec![("/roles", "range")]),
        (key("partner", json!(partner), json!(["sales_agent", "sales_agent"])), vec![("/roles/1", "value")]),
        (key("customer", json!(tenant), json!([])), vec![("/roles", "range")]),
        (key("customer", json!(tenant), json!(["sales_agent"])), vec![("/roles/0", "value")]),
        (key("customer", json!(tenant), json!(["global_admin", "sales_agent"])), vec![("/roles/1", "value")]),
    ]
}
