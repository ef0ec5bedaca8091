//! JSON Schema of responses.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// A generator for the types of responses, in the dialect of OpenAPI 3.1. References point to `#/components/schemas/`.
///
/// Take the schemas with `take_definitions(true)`, which applies these rules:
/// - A client may meet members that are new, so no object forbids additional ones.
/// - A member that may be absent is never `null`.
pub fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .with_transform(RecursiveTransform(allow_new_members))
        .with_transform(RecursiveTransform(forbid_null_in_absent_members))
        .for_serialize()
        .into_generator()
}

fn allow_new_members(schema: &mut Schema) {
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        schema.remove("additionalProperties");
    }
}

fn forbid_null_in_absent_members(schema: &mut Schema) {
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, member) in members {
        if let Some(member) = member.as_object_mut().filter(|_| !required.contains(&json!(name))) {
            forbid_null(member);
        }
    }
}

/// `Option<T>` is `{"type": ["…", "null"]}`, or `{"anyOf": [T, {"type": "null"}]}` where `T` is a reference.
fn forbid_null(member: &mut Map<String, Value>) {
    if let Some(types) = member.get_mut("type").filter(|types| types.is_array()) {
        if let Some(all) = types.as_array_mut() {
            all.retain(|one| one != "null");
        }
        if let Some([one]) = types.as_array().map(Vec::as_slice) {
            *types = one.clone();
        }
    }
    let is_null = |one: &Value| *one == json!({"type": "null"});
    if let Some([Value::Object(some), null]) = member.get("anyOf").and_then(Value::as_array).map(Vec::as_slice)
        && is_null(null)
    {
        let some = some.clone();
        member.remove("anyOf");
        for (name, value) in some {
            member.entry(name).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;

    use super::*;
    use crate::handler::views::{AnswerView, CustomerView, DeliveryView, EndpointView, PageView, PolicyView};

    /// A type's schema and those it refers to, by name.
    fn schemas<T: JsonSchema>() -> Value {
        let mut generator = generator();
        generator.subschema_for::<T>();
        Value::Object(generator.take_definitions(true))
    }

    fn schema<T: JsonSchema>() -> Value {
        schemas::<T>()[T::schema_name().as_ref()].clone()
    }

    #[test]
    fn a_page_of_any_view_has_a_schema() {
        let schema = schema::<PageView<CustomerView>>();
        let items = schema.pointer("/properties/items/items/$ref");
        assert_eq!(items, Some(&json!("#/components/schemas/CustomerView")));
        assert_eq!(schema["required"], json!(["items"]));
    }

    #[test]
    fn a_member_is_required_unless_it_may_be_absent() {
        let required = json!(["event_id", "purpose", "state", "attempt", "created_at"]);
        assert_eq!(schema::<DeliveryView>()["required"], required);
    }

    #[test]
    fn a_member_that_may_be_absent_is_never_null() {
        let schema = schema::<DeliveryView>();
        assert_eq!(schema.pointer("/properties/failure/type"), Some(&json!("string")));
        let next_at = schema.pointer("/properties/next_at").unwrap();
        assert_eq!(next_at["$ref"], "#/components/schemas/Timestamp");
        assert_eq!(next_at.get("anyOf"), None);
    }

    #[test]
    fn a_member_that_is_always_present_may_be_null() {
        let types = schema::<EndpointView>().pointer("/properties/event_types/type").cloned();
        assert_eq!(types, Some(json!(["array", "null"])));
        let granted = schemas::<AnswerView>().pointer("/GrantedView/anyOf/1/type").cloned();
        assert_eq!(granted, Some(json!("null")));
    }

    #[test]
    fn no_schema_forbids_new_members() {
        let text = schemas::<PolicyView>().to_string();
        assert!(text.contains("invitation_days_max") && text.contains("upcoming"), "{text}");
        assert!(!text.contains("\"additionalProperties\":false") && !text.contains("unevaluated"), "{text}");
    }
}
