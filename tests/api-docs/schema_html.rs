//! JSON Schemas as HTML: the members of an object, and the type of a value.

use serde_json::Value;

use super::html::{code, escape, inline};

/// The name of the component that a schema refers to.
fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str().and_then(|target| target.rsplit('/').next())
}

/// Schemas by name.
pub struct Schemas<'a>(pub &'a Value);

impl<'a> Schemas<'a> {
    /// The schema itself, or the component that it refers to.
    pub fn resolve(&self, schema: &'a Value) -> &'a Value {
        reference(schema).map_or(schema, |name| &self.0[name])
    }

    /// The members of an object as a list of definitions. If it has none, its type.
    pub fn members(&self, schema: &'a Value) -> String {
        let object = self.resolve(schema);
        let Some(members) = object["properties"].as_object().filter(|members| !members.is_empty()) else {
            return match object["type"].as_str() {
                Some("object") => "<p>An object without members.</p>\n".to_owned(),
                _ => format!("<p>{}</p>\n", self.type_of(object)),
            };
        };
        let is_required = |name: &str| object["required"].as_array().is_some_and(|all| all.contains(&name.into()));
        let (required, optional): (Vec<_>, Vec<_>) = members.iter().partition(|(name, _)| is_required(name));
        let rows = required.into_iter().chain(optional).map(|(name, member)| {
            let mark = if is_required(name) { " <span class=\"required\">required</span>" } else { "" };
            definition(
                &format!("{} <span class=\"type\">{}</span>{mark}", code(name), self.type_of(member)),
                &(self.about(member) + &self.nested(member)),
            )
        });
        format!("<dl class=\"members\">\n{}</dl>\n", rows.collect::<String>())
    }

    /// The members of an object without a name.
    fn nested(&self, schema: &'a Value) -> String {
        if schema["properties"].is_object() { self.members(schema) } else { String::new() }
    }

    /// What a value is: its description, and its limits.
    pub fn about(&self, schema: &'a Value) -> String {
        let description = [schema, self.resolve(schema)].into_iter().find_map(|schema| schema["description"].as_str());
        let limits = limits(schema);
        let limits = if limits.is_empty() { limits } else { format!(" <span class=\"limits\">{limits}</span>") };
        format!("{}{limits}", inline(description.unwrap_or_default()))
    }

    /// The type of a value, with a link if it has a name.
    pub fn type_of(&self, schema: &'a Value) -> String {
        if let Some(name) = reference(schema) {
            return format!("<a href=\"#schema-{name}\">{name}</a>");
        }
        for choice in ["anyOf", "oneOf"] {
            if let Some(all) = schema[choice].as_array() {
                let mut types: Vec<_> = all.iter().map(|one| self.type_of(one)).collect();
                types.dedup();
                return types.join(" or ");
            }
        }
        if let Some(value) = schema.get("const") {
            return code(&value.to_string());
        }
        match &schema["type"] {
            Value::String(kind) if kind == "array" => format!("array of {}", self.type_of(&schema["items"])),
            Value::String(kind) if kind == "object" && schema["additionalProperties"].is_object() => {
                format!("object of {}", self.type_of(&schema["additionalProperties"]))
            }
            Value::String(kind) => escape(kind) + &format_of(schema),
            Value::Array(kinds) => {
                let kinds = kinds.iter().map(|kind| match kind.as_str() {
                    Some("array") => format!("array of {}", self.type_of(&schema["items"])),
                    Some("string") => "string".to_owned() + &format_of(schema),
                    kind => escape(kind.unwrap_or_default()),
                });
                kinds.collect::<Vec<_>>().join(" or ")
            }
            _ if schema.get("enum").is_some() => "string".to_owned(),
            _ => "any value".to_owned(),
        }
    }
}

/// The form of a text, if it has a name that says more than a pattern.
fn format_of(schema: &Value) -> String {
    schema["format"]
        .as_str()
        .filter(|format| !format.starts_with("uint"))
        .map_or(String::new(), |format| format!(" ({format})"))
}

/// A term and its definition.
pub fn definition(term: &str, text: &str) -> String {
    format!("<div><dt>{term}</dt><dd>{text}</dd></div>\n")
}

/// The limits of a value, in words.
pub fn limits(schema: &Value) -> String {
    let mut limits = Vec::new();
    let words = |values: &Value| {
        let values = values.as_array().into_iter().flatten();
        values.map(|value| code(value.as_str().unwrap_or("null"))).collect::<Vec<_>>().join(", ")
    };
    let choice = &schema["anyOf"][0]["enum"];
    for (values, about) in
        [(&schema["enum"], "One of"), (choice, "One of"), (&schema["items"]["enum"], "Each is one of")]
    {
        match values.as_array().map(Vec::as_slice) {
            Some([_]) => limits.push(format!("Always {}.", words(values))),
            Some(_) => limits.push(format!("{about} {}.", words(values))),
            None => {}
        }
    }
    for (least, most, unit) in
        [("minLength", "maxLength", " characters"), ("minItems", "maxItems", " elements"), ("minimum", "maximum", "")]
    {
        match (&schema[least], &schema[most]) {
            (Value::Number(least), Value::Number(most)) => limits.push(format!("{least} to {most}{unit}.")),
            (Value::Null, Value::Number(most)) => limits.push(format!("At most {most}{unit}.")),
            _ => {}
        }
    }
    if let Some(usual) = schema.get("default") {
        limits.push(format!("Default {usual}."));
    }
    if let Some(pattern) = schema["pattern"].as_str().filter(|_| schema.get("format").is_none()) {
        limits.push(format!("Pattern {}.", code(pattern)));
    }
    limits.join(" ")
}
