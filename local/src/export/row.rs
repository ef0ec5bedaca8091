//! One record as a line.

use serde_json::Value;
use serde_json::value::RawValue;

use super::What;
use crate::{csv, printable};

/// The members that a record leaves out because they are in the path.
type Context<'a> = &'a [(&'static str, String)];

pub fn csv_row(what: What, record: &RawValue, context: Context<'_>) -> String {
    let record: Value = serde_json::from_str(record.get()).unwrap_or_default();
    let of_context = |column: &str| context.iter().find(|(name, _)| *name == column).map(|(_, value)| value.clone());
    let field = |column: &&str| of_context(column).unwrap_or_else(|| text(&record[*column]));
    csv::line(what.columns().iter().map(|column| printable::text(&field(column))))
}

/// The record as the API sent it, after the members of the context.
pub fn json_row(record: &RawValue, context: Context<'_>) -> String {
    let mut line = printable::json_line(record.get());
    for (name, value) in context {
        let member = format!("{{{}:{}", Value::from(*name), Value::from(value.as_str()));
        let rest = line.trim_start_matches('{');
        line = if rest == "}" { format!("{member}}}") } else { format!("{member},{rest}") };
    }
    line.push('\n');
    line
}

/// A value as a field: roles are separated by spaces, and objects are JSON.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}
