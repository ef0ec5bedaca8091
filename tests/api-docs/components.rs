//! `components`: parts of the document that several operations refer to.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The sections of `components`, except `schemas` that the catalog has.
#[derive(Default)]
pub struct Components(BTreeMap<&'static str, Map<String, Value>>);

impl Components {
    /// Adds a part, unless it is there, and returns a reference to it. If another part has the name, the new one gets a
    /// number.
    pub fn add(&mut self, section: &'static str, name: &str, part: Value) -> Value {
        let parts = self.0.entry(section).or_default();
        let numbered = |number| if number == 1 { name.to_owned() } else { format!("{name}{number}") };
        let mut number = 1;
        while parts.get(&numbered(number)).is_some_and(|other| *other != part) {
            number += 1;
        }
        let name = numbered(number);
        parts.insert(name.clone(), part);
        json!({"$ref": format!("#/components/{section}/{name}")})
    }

    /// Adds named schemas.
    ///
    /// # Panics
    /// If a name is taken.
    pub fn add_schemas(&mut self, schemas: Map<String, Value>) {
        let parts = self.0.entry("schemas").or_default();
        for (name, schema) in schemas {
            assert!(parts.insert(name.clone(), schema).is_none(), "two schemas are named {name}");
        }
    }

    /// The section of schemas.
    pub fn schemas(&mut self) -> &mut Map<String, Value> {
        self.0.entry("schemas").or_default()
    }

    pub fn into_json(self) -> Value {
        json!(self.0)
    }
}
