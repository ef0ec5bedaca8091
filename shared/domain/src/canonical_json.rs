//! JSON text that depends on nothing but the value, to be hashed.

use serde_json::{Map, Value};

/// Writes JSON without whitespace. The members of every object are sorted by name (by bytes of UTF-8), whether or not
/// `serde_json` keeps them sorted.
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    text
}

/// [`canonical_json`] of an object.
pub(crate) fn canonical_object(members: &Map<String, Value>) -> String {
    let mut text = String::new();
    write_object(members, &mut text);
    text
}

fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => write_object(members, text),
        Value::Array(items) => write_all('[', items, ']', text, write_value),
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn write_object(members: &Map<String, Value>, text: &mut String) {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    write_all('{', sorted, '}', text, |(name, value), text| {
        text.push_str(&Value::from(name.as_str()).to_string());
        text.push(':');
        write_value(value, text);
    });
}

fn write_all<T>(
    open: char,
    items: impl IntoIterator<Item = T>,
    close: char,
    text: &mut String,
    write: impl Fn(T, &mut String),
) {
    text.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write(item, text);
    }
    text.push(close);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_sorted_at_every_level() {
        let value = json!({"b": [{"d": 1, "c": null}, []], "a": {"é": "\"\n", "Z": true, "": {}}});
        let text = r#"{"a":{"":{},"Z":true,"é":"\"\n"},"b":[{"c":null,"d":1},[]]}"#;
        assert_eq!(canonical_json(&value), text);
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), value);
    }
}
