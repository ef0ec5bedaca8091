//! The contract: every response that a test receives must be one that the description of its route allows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jsonschema::Validator;
use local::functions::FUNCTIONS;
use local::gateway::Router;
use platform::http_api::{Code, FieldCode, MAX_FIELD_ERRORS, TYPE_BASE};
use platform::lambda::Function;
use serde_json::{Map, Value, json};

use crate::{Answer, Call};

/// Headers that a response has only where they are documented.
const REPLAYED: &str = "idempotent-replayed";
const OWN_HEADERS: &[&str] = &["location", "etag", REPLAYED];
/// Headers that belong to certain problems.
const PROBLEM_HEADERS: &[&str] = &["retry-after", "www-authenticate", "x-amzn-remapped-www-authenticate", "allow"];

const DOCUMENT: &str = include_str!("../../docs/openapi.json");

static CONTRACT: LazyLock<Router<Operation>> = LazyLock::new(|| {
    let operations = operations();
    let keys: Vec<String> = operations.iter().map(|operation| operation.key.clone()).collect();
    Router::new(keys.iter().zip(operations).map(|(key, operation)| {
        let (method, path) = key.split_once(' ').expect("a method and a path");
        (method, path, operation)
    }))
});

/// A route, as far as responses depend on it.
struct Operation {
    key: String,
    /// The documented problems: status and code.
    problems: BTreeSet<(u16, String)>,
    /// The other responses by status.
    responses: BTreeMap<u16, Success>,
}

struct Success {
    /// `None` if there is no body.
    media: Option<String>,
    /// `None` if the body is not described.
    body: Option<Validator>,
    headers: BTreeSet<String>,
}

/// Every documented operation. This is the only place that knows where the description comes from.
fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(DOCUMENT).expect("docs/openapi.json is JSON");
    let schemas = strict(document["components"]["schemas"].clone());
    let members = |value: &Value| value.as_object().expect("an object").clone();
    let mut operations = Vec::new();
    for (path, methods) in members(&document["paths"]) {
        for (method, operation) in members(&methods) {
            let mut described = Operation {
                key: format!("{} {path}", method.to_uppercase()),
                problems: BTreeSet::new(),
                responses: BTreeMap::new(),
            };
            for (status, response) in members(&operation["responses"]) {
                let status: u16 = status.parse().expect("a status");
                let response = resolve(&document, &response);
                if status < 400 {
                    described.responses.insert(status, success(response, &schemas));
                } else {
                    let codes = codes(&document, response).into_iter().map(|code| (status, code));
                    described.problems.extend(codes);
                }
            }
            operations.push(described);
        }
    }
    operations
}

/// Follows a reference in the document.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(pointer) => document.pointer(pointer.trim_start_matches('#')).expect("a reference leads somewhere"),
        None => value,
    }
}

fn success(response: &Value, schemas: &Value) -> Success {
    let content = response["content"].as_object().and_then(|content| content.iter().next());
    let json = content.filter(|(media, _)| *media == "application/json");
    let schema = json.and_then(|(_, content)| content.get("schema"));
    let body = schema.map(|schema| {
        let mut schema = strict(schema.clone());
        schema["components"] = json!({"schemas": schemas});
        jsonschema::options().build(&schema).unwrap_or_else(|fault| panic!("a schema is malformed: {fault}"))
    });
    let headers = response["headers"].as_object().into_iter().flatten();
    Success {
        media: content.map(|(media, _)| media.clone()),
        body,
        headers: headers.map(|(name, _)| name.clone()).collect(),
    }
}

/// The codes of a problem: its schema is `Problem` with a list of them.
fn codes(document: &Value, response: &Value) -> Vec<String> {
    let schema = resolve(document, &response["content"]["application/problem+json"]["schema"]);
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let codes = parts.filter_map(|part| part["properties"]["code"]["enum"].as_array()).flatten();
    codes.map(|code| code.as_str().expect("a code").to_owned()).collect()
}

/// A schema that also forbids members that it does not name. Clients must accept new members; our own responses have none.
fn strict(schema: Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut members: Map<String, Value> =
                members.into_iter().map(|(name, value)| (name, strict(value))).collect();
            let names_members = members.get("properties").is_some_and(Value::is_object);
            if names_members && !members.contains_key("additionalProperties") {
                members.insert("unevaluatedProperties".into(), json!(false));
            }
            Value::Object(members)
        }
        Value::Array(elements) => elements.into_iter().map(strict).collect(),
        other => other,
    }
}

/// Checks the response to a call.
///
/// # Panics
/// If the contract does not allow it.
pub fn assert_fits(call: &Call, answer: &Answer) {
    let path = call.path.split(['?', '#']).next().unwrap_or_default();
    let checked = match CONTRACT.find(call.method.as_str(), path) {
        _ if is_of_gateway(answer) => Ok(()),
        Some(matched) => check(matched.target, answer),
        None => Err("this route is not documented".to_owned()),
    };
    report(&format!("{} {path}", call.method), answer, checked);
}

/// Checks a function's response to an event. Functions that only a test has are not documented.
///
/// # Panics
/// If the contract does not allow it.
pub fn assert_event_fits(function: &Function, event: &[u8], answer: &Answer) {
    if !FUNCTIONS.iter().any(|known| known.name == function.name) {
        return;
    }
    let event: Value = serde_json::from_slice(event).unwrap_or_default();
    let key = event["routeKey"].as_str().unwrap_or_default();
    let checked = match operation(key).filter(|_| function.serves(key)) {
        Some(operation) => check(operation, answer),
        None if ["event_malformed", "not_found"].contains(&answer.code().as_str()) => problem_shape(answer).map(drop),
        None => Err("the function does not serve this route".to_owned()),
    };
    report(key, answer, checked);
}

fn operation(key: &str) -> Option<&'static Operation> {
    let (method, path) = key.split_once(' ')?;
    let matched = CONTRACT.find(method, path)?;
    (matched.key == key).then_some(matched.target)
}

fn report(what: &str, answer: &Answer, checked: Result<(), String>) {
    if let Err(fault) = checked {
        let body = String::from_utf8_lossy(&answer.body);
        panic!("{what} → {}: {fault}\n{:?}\n{body}", answer.status, answer.headers);
    }
}

/// The gateway's own errors are `{"message": "…"}`.
fn is_of_gateway(answer: &Answer) -> bool {
    let is_own_status = matches!(answer.status, 400 | 404 | 413 | 429 | 431 | 500..=599);
    let body = answer.json();
    let is_message = body.as_object().is_some_and(|body| body.len() == 1 && body.get("message").is_some());
    // A response to HEAD has no body.
    is_own_status && (is_message || answer.body.is_empty()) && answer.header("x-request-id").is_none()
}

fn check(operation: &Operation, answer: &Answer) -> Result<(), String> {
    if answer.header("content-type") == Some("application/problem+json") {
        // Without a body, a problem is only a status.
        if operation.key.starts_with("HEAD ") && answer.body.is_empty() {
            let is_listed = operation.problems.iter().any(|(status, _)| *status == answer.status);
            return if is_listed { Ok(()) } else { Err("the status is not documented".to_owned()) };
        }
        return check_problem(operation, answer);
    }
    let success = operation.responses.get(&answer.status).ok_or("the status is not documented")?;
    let media = answer.header("content-type").unwrap_or_default();
    let has_body = success.media.is_some() || operation.key.starts_with("HEAD ");
    let is = |documented: &str| documented == "*/*" || media.split(';').next() == Some(documented);
    let fits = success.media.as_deref().is_none_or(is);
    if !fits || !has_body && !answer.body.is_empty() {
        return Err(format!("the media type is {media:?} and not {:?}", success.media));
    }
    for name in OWN_HEADERS {
        let is_documented = success.headers.contains(*name);
        let is_present = answer.header(name).is_some();
        if is_present && !is_documented || is_documented && !is_present && *name != REPLAYED {
            return Err(format!("`{name}` is present: {is_present}, documented: {is_documented}"));
        }
    }
    if let Some(name) = PROBLEM_HEADERS.iter().find(|name| answer.header(name).is_some()) {
        return Err(format!("`{name}` belongs to problems"));
    }
    match &success.body {
        Some(validator) => check_body(validator, &answer.body),
        None => Ok(()),
    }
}

fn check_body(validator: &Validator, body: &[u8]) -> Result<(), String> {
    let body: Value = serde_json::from_slice(body).map_err(|fault| format!("the body is not JSON: {fault}"))?;
    let faults: Vec<String> =
        validator.iter_errors(&body).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    if faults.is_empty() { Ok(()) } else { Err(format!("the body is not as documented: {}", faults.join("; "))) }
}

fn check_problem(operation: &Operation, answer: &Answer) -> Result<(), String> {
    let code = problem_shape(answer)?;
    if !operation.problems.contains(&(answer.status, code.name().to_owned())) {
        return Err(format!("the route does not list {}", code.name()));
    }
    for name in OWN_HEADERS {
        if answer.header(name).is_some() {
            return Err(format!("a problem has no `{name}`"));
        }
    }
    for name in PROBLEM_HEADERS {
        let is_documented = match *name {
            "retry-after" => code.retryable(),
            "allow" => code == Code::SubscriptionImmutable,
            _ => matches!(code, Code::TokenMissing | Code::KeyInvalid),
        };
        if answer.header(name).is_some() && !is_documented {
            return Err(format!("{} has no `{name}`", code.name()));
        }
    }
    if code.retryable() && answer.header("retry-after").is_none() {
        return Err(format!("{} has no `retry-after`", code.name()));
    }
    Ok(())
}

/// Checks that a problem has exactly the members of its code.
fn problem_shape(answer: &Answer) -> Result<Code, String> {
    let problem = answer.json();
    let members = problem.as_object().ok_or("a problem is an object")?;
    let name = problem["code"].as_str().ok_or("a problem has a code")?;
    let code = *Code::ALL.iter().find(|code| code.name() == name).ok_or("the code is not registered")?;
    let mut expected = BTreeSet::from(["type", "title", "status", "detail", "instance", "code", "retryable"]);
    match code {
        Code::ValidationFailed => expected.extend(["errors"]),
        Code::InvitationPending => expected.extend(["invitation_id"]),
        _ => {}
    }
    let found: BTreeSet<_> = members.keys().map(String::as_str).collect();
    if found != expected {
        return Err(format!("the members are {found:?} and not {expected:?}"));
    }
    let is_text = |name: &str| problem[name].as_str().is_some_and(|text| !text.is_empty());
    let fits = problem["type"] == format!("{TYPE_BASE}{name}")
        && problem["title"] == code.title()
        && problem["status"] == code.status()
        && answer.status == code.status()
        && problem["retryable"] == code.retryable()
        && is_text("detail")
        && problem["instance"].as_str().is_some_and(|text| text.starts_with("urn:request:"));
    if !fits {
        return Err("the problem is not as its code is registered".into());
    }
    match problem.get("errors") {
        Some(errors) => field_errors(errors).map(|()| code),
        None => Ok(code),
    }
}

fn field_errors(errors: &Value) -> Result<(), String> {
    let errors = errors.as_array().filter(|errors| (1..=MAX_FIELD_ERRORS).contains(&errors.len()));
    let mut pointers = BTreeSet::new();
    for error in errors.ok_or("`errors` has 1 to 20 elements")? {
        let text = |name: &str| error[name].as_str();
        let pointer = text("pointer").ok_or("an error has a pointer")?;
        let is_known = FieldCode::ALL.iter().any(|code| Some(code.as_str()) == text("code"));
        let is_whole = error.as_object().is_some_and(|error| error.len() == 3) && text("detail").is_some();
        if !is_known || !is_whole {
            return Err(format!("an error has a pointer, a code and a detail: {error}"));
        }
        if !pointer.is_empty() && !pointer.starts_with(['/', '?']) {
            return Err(format!("{pointer} is no pointer"));
        }
        if !pointers.insert(pointer) {
            return Err(format!("{pointer} is named twice"));
        }
    }
    Ok(())
}
