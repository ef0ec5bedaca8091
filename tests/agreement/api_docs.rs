//! The API's documentation: the committed files are those that the generator writes, and they are complete.

use std::collections::BTreeSet;

use local::functions::FUNCTIONS;
use serde_json::{Value, json};
use tests::api_docs::operations::{OPERATIONS, TAGS};
use tests::api_docs::{COMMAND, Examples, document, files};

#[tokio::test]
async fn the_committed_files_are_what_the_generator_writes() {
    for file in files(&Examples::record().await) {
        let committed = std::fs::read_to_string(file.on_disk()).expect("a file");
        assert!(committed == file.text, "{} is out of date: {COMMAND}", file.path);
    }
}

#[test]
fn every_route_has_one_entry_and_every_entry_a_route() {
    let routes = FUNCTIONS.iter().flat_map(|function| function.routes).map(|route| route.key);
    let entries: Vec<_> = OPERATIONS.iter().map(|entry| entry.key).collect();
    assert_eq!(entries.iter().copied().collect::<BTreeSet<_>>(), routes.collect());
    let ids: BTreeSet<_> = OPERATIONS.iter().map(|entry| entry.id).collect();
    assert_eq!((entries.len(), ids.len()), (ids.len(), OPERATIONS.len()), "an entry or an id occurs twice");
    for entry in OPERATIONS {
        assert!(TAGS.iter().any(|tag| tag.name == entry.tag), "{}: {}", entry.key, entry.tag);
    }
}

#[tokio::test]
async fn the_document_and_the_reference_contain_no_secret_of_the_samples() {
    let examples = Examples::record().await;
    assert!(examples.secrets.len() > 10, "{} secrets", examples.secrets.len());
    for file in files(&examples) {
        for secret in &examples.secrets {
            assert!(!file.text.contains(secret.as_str()), "{} contains {secret}", file.path);
        }
    }
}

#[tokio::test]
async fn every_member_has_a_description() {
    let document = document(&Examples::record().await);
    let mut missing = Vec::new();
    visit(&document, &mut |part| {
        for (name, member) in part["properties"].as_object().into_iter().flatten() {
            if !is_described(&document, member) {
                missing.push(format!("{name}: {member}"));
            }
        }
    });
    assert_eq!(missing, Vec::<String>::new(), "add a doc comment, or an entry in tests/api-docs/members.rs");
}

/// Calls this with every object, except those in examples.
fn visit(value: &Value, see: &mut impl FnMut(&Value)) {
    match value {
        Value::Object(members) => {
            see(value);
            let parts = members.iter().filter(|(name, _)| !matches!(name.as_str(), "example" | "examples"));
            parts.for_each(|(_, part)| visit(part, see));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        _ => {}
    }
}

fn is_described(document: &Value, schema: &Value) -> bool {
    let target = schema["$ref"].as_str().and_then(|target| document.pointer(&target[1..]));
    let choices = ["anyOf", "oneOf"].iter().flat_map(|choice| schema[choice].as_array().into_iter().flatten());
    schema["description"].is_string()
        || target.is_some_and(|target| is_described(document, target))
        || choices.into_iter().any(|choice| is_described(document, choice))
}

#[tokio::test]
async fn every_example_is_valid_under_its_schema() {
    let document = document(&Examples::record().await);
    let mut examples = 0;
    visit(&document, &mut |part| {
        if let (Some(schema), Some(example)) = (part.get("schema"), part.get("example")) {
            let mut schema = json!({"allOf": [schema]});
            schema["components"] = document["components"].clone();
            let validator = jsonschema::draft202012::new(&schema).expect("a schema");
            let errors: Vec<_> = validator.iter_errors(example).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{example}");
            examples += 1;
        }
    });
    assert!(examples > 100, "{examples} examples");
}

#[tokio::test]
async fn every_operation_with_a_body_has_examples() {
    let document = document(&Examples::record().await);
    for operation in OPERATIONS {
        let (method, path) = operation.key.split_once(' ').expect("a route key");
        let described = &document["paths"][path][method.to_ascii_lowercase()];
        assert!(described["operationId"] == operation.id, "{}", operation.key);
        let parts = described["responses"].as_object().into_iter().flatten().map(|(_, response)| response);
        let views = parts.filter(|part| part["content"]["application/json"]["schema"].get("$ref").is_some());
        let shown = views.clone().any(|part| part["content"]["application/json"].get("example").is_some());
        assert!(views.count() == 0 || shown, "{}", operation.key);
        let body = &described["requestBody"];
        assert!(body.is_null() || body["content"]["application/json"].get("example").is_some(), "{}", operation.key);
    }
}
