//! Describes bodies: a reader that writes down what is read.

use serde_json::{Map, Value, json};

use super::body::{Body, Patch, Reader, Rules, Unread};
use super::field::InvalidField;
use super::schemas::Schemas;
use super::shape::{Shape, or_null};

/// Describes a body under its name, and returns a reference to it.
pub fn describe<B: Body>(schemas: &mut Schemas, rules: &Rules<'_>) -> Value {
    if !schemas.0.contains_key(B::NAME) {
        let mut sketch = Sketch { schemas, properties: Map::new(), required: Vec::new() };
        // A sketch reads nothing, so there is no body.
        let _ = B::members(&mut sketch, rules);
        let Sketch { properties, required, .. } = sketch;
        let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schemas.0.insert(B::NAME.to_owned(), schema);
    }
    json!({"$ref": format!("#/components/schemas/{}", B::NAME)})
}

/// A reader that writes down what is read.
struct Sketch<'a> {
    schemas: &'a mut Schemas,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
}

impl Sketch<'_> {
    fn member<S: Shape>(&mut self, name: &'static str, shape: &S) {
        let schema = shape.schema(self.schemas);
        self.properties.insert(name.to_owned(), schema);
    }

    fn nullable_member<S: Shape>(&mut self, name: &'static str, shape: &S) {
        let schema = or_null(shape.schema(self.schemas));
        self.properties.insert(name.to_owned(), schema);
    }
}

impl Reader for Sketch<'_> {
    fn required<S: Shape>(&mut self, name: &'static str, shape: S) -> Option<S::Out> {
        self.member(name, &shape);
        self.required.push(name);
        None
    }

    fn optional<S: Shape>(&mut self, name: &'static str, shape: S) -> Option<S::Out> {
        self.nullable_member(name, &shape);
        None
    }

    fn present<S: Shape>(&mut self, name: &'static str, shape: S) -> Option<Option<S::Out>> {
        self.nullable_member(name, &shape);
        None
    }

    fn patch<S: Shape>(&mut self, name: &'static str, shape: S) -> Patch<S::Out> {
        self.nullable_member(name, &shape);
        Patch::Keep
    }

    fn unread<S: Shape>(&mut self, name: &'static str, required: bool, shape: &S) -> Unread {
        self.member(name, shape);
        if required {
            self.required.push(name);
        }
        Unread::new(name, None)
    }

    fn invalid(&mut self, _: &'static str, _: InvalidField) {}

    fn invalid_element(&mut self, _: &'static str, _: usize, _: InvalidField) {}
}
