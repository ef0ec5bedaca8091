//! The webhooks that are sent, from the schemas in `docs/events`.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::components::Components;
use super::members;
use super::openapi::pascal_case;

/// The file of the parts that the other schemas share.
const COMMON: &str = "common";

/// Types that only feeds and lists have: when a customer is registered, it cannot have an endpoint yet.
const NEVER_SENT: &[&str] = &["customer.registered"];

/// The three headers of a signed webhook, the same for those that are sent and those that are received.
pub fn signature_headers(components: &mut Components) -> Vec<Value> {
    let header = |name, description, pattern| {
        json!({
            "name": name, "in": "header", "required": true, "description": description,
            "schema": {"type": "string", "pattern": pattern},
        })
    };
    let headers = [
        header("webhook-id", "The id of the message, the same for every attempt.", "^[A-Za-z0-9_-]{1,128}$"),
        header(
            "webhook-timestamp",
            "The time of this attempt, in Unix seconds. At most 300 seconds from now.",
            "^[0-9]{1,12}$",
        ),
        header(
            "webhook-signature",
            "One or more signatures, separated by spaces: `v1,` and base64.",
            "v1,[A-Za-z0-9+/]{43}=",
        ),
    ];
    headers
        .into_iter()
        .map(|header| {
            let name = pascal_case(header["name"].as_str().expect("a name"));
            components.add("parameters", &name, header)
        })
        .collect()
}

/// Every type of message.
///
/// # Panics
/// If a schema cannot be read.
pub fn webhooks(components: &mut Components) -> Value {
    let mut files = read();
    let common = files.remove(COMMON).expect("common.json");
    for (name, definition) in common["$defs"].as_object().expect("definitions") {
        let mut schema = definition.clone();
        refer_to_components(&mut schema);
        components.add("schemas", &component(name), schema);
    }
    let received = components.add("responses", "WebhookReceived", json!({
        "description": "Any 2xx status: the message was received. Anything else is retried, up to ten attempts in about three days.",
    }));
    let headers = signature_headers(components);
    let one = |(name, schema): (String, Value)| {
        let webhook = json!({"post": message(&name, schema, &headers, &received)});
        (name, webhook)
    };
    files.into_iter().filter(|(name, _)| !NEVER_SENT.contains(&name.as_str())).map(one).collect::<Map<_, _>>().into()
}

fn message(name: &str, mut schema: Value, headers: &[Value], received: &Value) -> Value {
    let example = schema["examples"][0].clone();
    let description = schema["description"].clone();
    for member in ["$schema", "title", "description", "examples"] {
        schema.as_object_mut().expect("a schema").remove(member);
    }
    refer_to_components(&mut schema);
    members::describe_schema("", &mut schema);
    json!({
        "operationId": format!("on_{}", name.replace('.', "_")),
        "summary": format!("Receive `{name}`"),
        "description": description,
        "security": [],
        "parameters": headers,
        "requestBody": {"required": true, "content": {"application/json": {"schema": schema, "example": example}}},
        "responses": {"2XX": received},
    })
}

/// The schemas by the name of their file.
fn read() -> std::collections::BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events");
    let files = std::fs::read_dir(folder).expect("docs/events").map(|entry| entry.expect("a file").path());
    let schemas = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let named = schemas.map(|path| {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let text = std::fs::read_to_string(&path).expect("a file");
        (name, serde_json::from_str(&text).expect("JSON"))
    });
    named.collect()
}

/// The name of a common part in `components/schemas`.
fn component(name: &str) -> String {
    format!("Webhook{}", pascal_case(name))
}

/// Turns references to `common.json` into references to components.
fn refer_to_components(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(target) if name == "$ref" => {
                        let (_, part) = target.rsplit_once('/').expect("a reference to a definition");
                        *target = format!("#/components/schemas/{}", component(part));
                    }
                    other => refer_to_components(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(refer_to_components),
        _ => {}
    }
}
