//! One record as names and values.

use serde_json::Value;

/// The members of a response, in alphabetical order. The members of the record in it come without its name:
/// `{"partner": {"partner_id": …}}` gives `partner_id`. Deeper members have a path, such as `principal.kind`.
pub fn of(response: &Value) -> Vec<(String, String)> {
    let mut entries = Vec::new();
    for (name, value) in response.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) => add("", value, &mut entries),
            _ => add(name, value, &mut entries),
        }
    }
    entries
}

fn add(name: &str, value: &Value, entries: &mut Vec<(String, String)>) {
    let below = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(part, value)| add(&below(part), value, entries)),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                add(&below(&index.to_string()), item, entries);
            }
        }
        Value::Array(items) => entries.push((name.to_owned(), items.iter().map(text).collect::<Vec<_>>().join(", "))),
        _ => entries.push((name.to_owned(), text(value))),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_becomes_names_and_values() {
        let response = json!({
            "invitation": {"id": "inv", "admin": {"roles": ["a", "b"]}, "none": null, "grants": [{"n": 1}], "yes": true},
            "url": "https://x",
        });
        let entries = of(&response);
        let shown: Vec<_> = entries.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown.len(), 6);
        for entry in ["id=inv", "admin.roles=a, b", "none=-", "grants.0.n=1", "yes=true", "url=https://x"] {
            assert!(shown.iter().any(|shown| shown == entry), "{entry}: {shown:?}");
        }
    }
}
