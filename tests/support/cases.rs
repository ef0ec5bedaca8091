//! Test cases from a data file: valid requests, called bases, and the change that each case makes to one of them. The data
//! file documents its members.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use platform::secrets::signature::{SigningSecret, sign};
use serde_json::{Map, Value, json};

use crate::Call;

/// The values of `{{name}}` placeholders.
#[derive(Clone, Debug, Default)]
pub struct Names(pub BTreeMap<String, String>);

/// The response that a case expects.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    pub status: u16,
    /// The problem's code; empty for a success, `gateway` for an error from the gateway itself.
    pub code: String,
    /// A pointer that must be in the problem's errors.
    pub pointer: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    /// The number of its group of bad input.
    pub group: u64,
    pub expected: Expected,
    /// Whether the case is for the local system only, because a proxy might change the request.
    pub here: bool,
    pub base: String,
    change: Value,
}

#[derive(Clone, Debug)]
pub struct Cases {
    bases: Map<String, Value>,
    /// The cases, with `$each` expanded.
    pub cases: Vec<Case>,
}

impl Cases {
    /// # Panics
    /// If the file is malformed.
    pub fn read(text: &str) -> Self {
        let file: Value = serde_json::from_str(text).expect("a JSON file");
        let bases = file["bases"].as_object().expect("bases").clone();
        let cases = file["cases"].as_array().expect("cases").iter().flat_map(expand).map(|case| Case::read(&case));
        let cases: Vec<_> = cases.collect();
        for case in &cases {
            assert!(bases.contains_key(&case.base), "{}: no base `{}`", case.name, case.base);
        }
        Self { bases, cases }
    }

    pub fn bases(&self) -> impl Iterator<Item = &str> {
        self.bases.keys().map(String::as_str)
    }

    /// A base as a call, which succeeds.
    pub fn base(&self, name: &str, names: &Names, now: i64) -> Call {
        call(&self.bases[name], &json!({}), names, now)
    }

    /// A case from a file of requests, as a call.
    pub fn call(&self, case: &Case, names: &Names, now: i64) -> Call {
        call(&self.bases[&case.base], &case.change, names, now)
    }

    /// A base from a file of events.
    pub fn base_event(&self, name: &str, names: &Names, now: i64) -> Vec<u8> {
        event(&self.bases[name], &json!({}), names, now)
    }

    /// A case from a file of events, as the bytes that a function is invoked with.
    pub fn event(&self, case: &Case, names: &Names, now: i64) -> Vec<u8> {
        event(&self.bases[&case.base], &case.change, names, now)
    }

    pub fn route(&self, base: &str) -> &str {
        self.bases[base]["event"]["routeKey"].as_str().expect("a route")
    }

    /// The number of cases in each group.
    pub fn groups(&self) -> BTreeMap<u64, usize> {
        let mut groups = BTreeMap::new();
        self.cases.iter().for_each(|case| *groups.entry(case.group).or_default() += 1);
        groups
    }
}

impl Case {
    fn read(case: &Value) -> Self {
        let name = case["name"].as_str().expect("a name").to_owned();
        let answer = case["answer"].as_array().unwrap_or_else(|| panic!("{name}: an answer"));
        let at = |index: usize| answer.get(index).and_then(Value::as_str).unwrap_or_default().to_owned();
        let status = answer.first().and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        Self {
            group: case["group"].as_u64().unwrap_or_else(|| panic!("{name}: a group")),
            expected: Expected {
                status: status.unwrap_or_else(|| panic!("{name}: a status")),
                code: at(1),
                pointer: answer.get(2).and_then(Value::as_str).map(str::to_owned),
            },
            here: case["here"] == true,
            base: case["base"].as_str().unwrap_or_default().to_owned(),
            change: case.clone(),
            name,
        }
    }

    /// The invocation's remaining time in seconds.
    pub fn remaining(&self) -> u64 {
        self.change["remaining"].as_u64().unwrap_or(10)
    }

    /// The function to invoke, if the event's route does not determine it.
    pub fn function(&self) -> Option<&str> {
        self.change["function"].as_str()
    }
}

/// One case for each value in `each`. The value replaces `$each` in values, strings and member names.
fn expand(case: &Value) -> Vec<Value> {
    let Some(each) = case["each"].as_array() else { return vec![case.clone()] };
    let expanded = |one: &Value| {
        let mut case = case.clone();
        if let Some(members) = case.as_object_mut() {
            members.remove("each");
        }
        let mut expanded = put_each(&case, one);
        let shown: String = one.to_string().chars().take(60).collect();
        expanded["name"] = json!(format!("{}: {shown}", case["name"].as_str().expect("a name")));
        expanded
    };
    each.iter().map(expanded).collect()
}

fn put_each(value: &Value, one: &Value) -> Value {
    let inside = |text: &str| one.as_str().map_or_else(|| text.to_owned(), |one| text.replace("$each", one));
    match value {
        Value::String(text) if text == "$each" => one.clone(),
        Value::String(text) => json!(inside(text)),
        Value::Array(items) => items.iter().map(|item| put_each(item, one)).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (inside(name), put_each(value, one))).collect(),
        other => other.clone(),
    }
}

impl Names {
    pub fn and(&self, name: &str, value: &str) -> Self {
        let mut names = self.clone();
        names.0.insert(name.to_owned(), value.to_owned());
        names
    }

    fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        while let Some(from) = filled.find("{{") {
            let length = filled[from..].find("}}").unwrap_or_else(|| panic!("unclosed {{{{ in {text}"));
            let name = &filled[from + 2..from + length];
            let value = self.0.get(name).unwrap_or_else(|| panic!("unknown name {{{{{name}}}}}")).clone();
            filled.replace_range(from..from + length + 2, &value);
        }
        filled
    }

    /// Fills in names and runs generators: those of [`Names::bytes`], `{"$times": [value, n]}` for a list, and
    /// `{"$members": [prefix, n]}` for an object.
    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => json!(self.fill(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => match generator(members) {
                Some(("$times", given)) => Value::Array(vec![self.value(&given[0]); count(given)]),
                Some(("$members", given)) => {
                    let prefix = given[0].as_str().expect("a prefix");
                    (0..count(given)).map(|at| (format!("{prefix}{at}"), json!("x"))).collect()
                }
                Some(_) => json!(self.text(value)),
                None => members.iter().map(|(name, value)| (self.fill(name), self.value(value))).collect(),
            },
            other => other.clone(),
        }
    }

    /// The bytes of a string or generator: `{"$repeat": [text, n]}`, `{"$concat": [text, …]}`, `{"$base64": bytes}`.
    fn bytes(&self, value: &Value) -> Vec<u8> {
        match value {
            Value::String(text) => self.fill(text).into_bytes(),
            Value::Object(members) => match generator(members) {
                Some(("$repeat", given)) => self.bytes(&given[0]).repeat(count(given)),
                Some(("$concat", given)) => {
                    given.as_array().expect("parts").iter().flat_map(|part| self.bytes(part)).collect()
                }
                Some(("$base64", given)) => BASE64.decode(given.as_str().expect("base64").as_bytes()).expect("base64"),
                _ => self.value(value).to_string().into_bytes(),
            },
            other => other.to_string().into_bytes(),
        }
    }
}

fn count(given: &Value) -> usize {
    given[1].as_u64().and_then(|count| usize::try_from(count).ok()).expect("a count")
}

fn generator(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    members.iter().next().filter(|(name, _)| name.starts_with('$') && members.len() == 1).map(|(n, v)| (n.as_str(), v))
}

/// Sets and removes members by pointer.
fn changed(mut value: Value, change: &Value, names: &Names) -> Value {
    for (pointer, new) in change["set"].as_object().into_iter().flatten() {
        let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
        let last = last.replace("~1", "/").replace("~0", "~");
        match value.pointer_mut(parent) {
            Some(Value::Object(members)) => {
                members.insert(last, names.value(new));
            }
            Some(Value::Array(items)) => items[last.parse::<usize>().expect("an index")] = names.value(new),
            _ => panic!("nothing at {parent}"),
        }
    }
    for pointer in change["remove"].as_array().into_iter().flatten() {
        let (parent, last) = pointer.as_str().and_then(|pointer| pointer.rsplit_once('/')).expect("a pointer");
        let members = value.pointer_mut(parent).and_then(Value::as_object_mut);
        assert!(members.expect("an object").remove(last).is_some(), "there is no {pointer}");
    }
    value
}

impl Names {
    /// Adds the names of a signature: `{{id}}`, `{{time}}`, `{{signature}}`, and `{{mac}}` without its version.
    fn signed(&self, signing: &Value, now: i64, body: &[u8]) -> Self {
        let id = self.fill(signing["id"].as_str().unwrap_or("{{unique}}"));
        let at = now + signing["at"].as_i64().unwrap_or(0);
        let secret = self.fill(signing["secret"].as_str().unwrap_or("{{signing_secret}}"));
        let signature = sign(&SigningSecret::parse(&secret).expect("a secret"), &id, at, body);
        let names = self.and("id", &id).and("time", &at.to_string());
        names.and("mac", signature.trim_start_matches("v1,")).and("signature", &signature)
    }

    fn text(&self, value: &Value) -> String {
        String::from_utf8(self.bytes(value)).expect("text")
    }
}

fn call(base: &Value, change: &Value, names: &Names, now: i64) -> Call {
    let part = |member: &str| change.get(member).or_else(|| base.get(member));
    let body = body_of(base, change, names);
    let names = match part("sign") {
        Some(signing) if signing["unchanged"] == true => {
            names.signed(signing, now, &body_of(base, &json!({}), names).unwrap_or_default())
        }
        Some(signing) => names.signed(signing, now, body.as_deref().unwrap_or_default()),
        None => names.clone(),
    };
    let text = |member: &str| part(member).map(|spec| names.text(spec)).unwrap_or_default();
    let mut call = Call::new(&text("method"), text("path") + &text("query"));
    if body.is_some() {
        call = call.header("content-type", "application/json");
    }
    if let Some(key) = part("key").and_then(Value::as_str) {
        call = call.key(&names.fill(&format!("{{{{{key}_key}}}}")));
    }
    for (name, value) in [&base["headers"], &change["headers"]].into_iter().filter_map(Value::as_object).flatten() {
        call.headers.retain(|(known, _)| known != name);
        let values = match value {
            Value::Null => &[],
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        call.headers.extend(values.iter().map(|value| (name.clone(), names.text(value))));
    }
    Call { body, ..call }
}

fn body_of(base: &Value, change: &Value, names: &Names) -> Option<Vec<u8>> {
    let body = match change.get("body") {
        Some(Value::Null) => None,
        Some(spec) => Some(names.bytes(spec)),
        None => base.get("body").map(|body| changed(names.value(body), change, names).to_string().into_bytes()),
    };
    let around = |member: &str| change.get(member).map(|spec| names.bytes(spec)).unwrap_or_default();
    body.map(|body| [around("prepend"), body, around("append")].concat())
}

fn event(base: &Value, change: &Value, names: &Names, now: i64) -> Vec<u8> {
    if let Some(raw) = change.get("raw") {
        return names.bytes(raw);
    }
    let mut event = base["event"].clone();
    let body = base.get("body").map(|body| names.value(body).to_string());
    let names = match base.get("sign") {
        Some(signing) => {
            let signed = change.get("signed").map(|body| names.bytes(body));
            names.signed(signing, now, &signed.or_else(|| body.clone().map(String::into_bytes)).unwrap_or_default())
        }
        None => names.clone(),
    };
    if let Some(body) = body {
        event["body"] = json!(body);
    }
    changed(names.value(&event), change, &names).to_string().into_bytes()
}
