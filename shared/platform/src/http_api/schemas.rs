//! The JSON Schemas of request bodies, by name. Functions never fill it; the description of the API does.

use serde_json::{Map, Value};

/// Named schemas, as `components/schemas` of the OpenAPI document has them.
#[derive(Default)]
pub struct Schemas(pub Map<String, Value>);
