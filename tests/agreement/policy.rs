//! Reads IAM policies and evaluates them as IAM does, as far as the template uses them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::deployment::Deployment;

/// A statement. All statements allow.
#[derive(Clone, Debug)]
pub struct Statement {
    pub sid: String,
    pub actions: Vec<String>,
    pub resources: Vec<String>,
    /// Patterns of partition keys; `None` for all keys.
    pub leading_keys: Option<Vec<String>>,
    /// Operations that a call must be part of; `None` for any or none.
    pub enclosing: Option<Vec<String>>,
}

/// A call as IAM sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub action: String,
    pub resource: String,
    /// The partition key; `None` for calls that are not to the table.
    pub leading_key: Option<String>,
    /// The operation that it is part of.
    pub enclosing: Option<String>,
}

impl Statement {
    /// Reads a statement.
    ///
    /// # Panics
    /// If the statement has elements that this module can't evaluate.
    fn read(value: &Value) -> Self {
        for key in value.as_object().expect("a statement").keys() {
            let known = ["Sid", "Effect", "Action", "Resource", "Condition"].contains(&key.as_str());
            assert!(known, "{key} in {value} is not allowed: list what is allowed, not the exceptions");
        }
        assert_eq!(value["Effect"], "Allow", "{value}");
        let mut statement = Self {
            sid: value["Sid"].as_str().expect("a Sid").to_owned(),
            actions: texts(&value["Action"]),
            resources: texts(&value["Resource"]),
            leading_keys: None,
            enclosing: None,
        };
        for (operator, conditions) in value["Condition"].as_object().into_iter().flatten() {
            for (key, values) in conditions.as_object().expect("conditions") {
                match (operator.as_str(), key.as_str()) {
                    ("ForAllValues:StringLike", "dynamodb:LeadingKeys") => statement.leading_keys = Some(texts(values)),
                    ("ForAnyValue:StringEquals", "dynamodb:EnclosingOperation") => {
                        statement.enclosing = Some(texts(values));
                    }
                    _ => panic!("this test can't evaluate {operator} of {key}"),
                }
            }
        }
        statement
    }

    pub fn allows(&self, call: &Call) -> bool {
        let any = |patterns: &[String], text: &str| patterns.iter().any(|pattern| like(pattern, text));
        any(&self.actions, &call.action)
            && any(&self.resources, &call.resource)
            && self.leading_keys.as_ref().is_none_or(|keys| call.leading_key.iter().all(|one| any(keys, one)))
            && self.enclosing.as_ref().is_none_or(|all| call.enclosing.as_ref().is_some_and(|one| all.contains(one)))
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(|item| item.as_str().expect("a string").to_owned()).collect(),
        Value::String(text) => vec![text.clone()],
        other => panic!("{other} is not a string"),
    }
}

/// Matches an IAM pattern: `*` matches any text, `?` any character.
pub fn like(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = &pattern[1..];
            like(rest, text) || text.chars().next().is_some_and(|c| like(pattern, &text[c.len_utf8()..]))
        }
        (Some(p), Some(t)) if p == '?' || p == t => like(&pattern[p.len_utf8()..], &text[t.len_utf8()..]),
        _ => false,
    }
}

/// The statements of each role, by its logical id.
pub fn roles(deployment: &Deployment) -> BTreeMap<String, Vec<Statement>> {
    let statements = |role: &Value| {
        let policies = role["Properties"]["Policies"].as_array().expect("policies");
        let documents = policies.iter().map(|policy| &policy["PolicyDocument"]);
        documents
            .flat_map(|document| document["Statement"].as_array().expect("statements").iter().map(Statement::read))
            .collect()
    };
    deployment.resources("AWS::IAM::Role").map(|(id, role)| (id.to_owned(), statements(role))).collect()
}

/// The statements of each function's role, by the name of the function's binary.
pub fn of_functions(deployment: &Deployment) -> BTreeMap<String, Vec<Statement>> {
    let roles = roles(deployment);
    let role_of = |arn: &Value| arn.as_str().and_then(|arn| arn.rsplit('/').next()).expect("a role").to_owned();
    let functions = deployment.functions();
    functions.iter().map(|f| (f.name.clone(), roles[&role_of(&f.properties["Role"])].clone())).collect()
}

#[test]
fn patterns_match_as_in_iam() {
    for (pattern, text, expected) in [
        ("SUBSCRIPTION#*", "SUBSCRIPTION#public#a", true),
        ("SUBSCRIPTION#*", "SUBSCRIPTION#", true),
        ("SUBSCRIPTION#*", "XSUBSCRIPTION#a", false),
        ("*#a", "b#a", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("", "", true),
        ("a", "A", false),
    ] {
        assert_eq!(like(pattern, text), expected, "{pattern} {text}");
    }
}
