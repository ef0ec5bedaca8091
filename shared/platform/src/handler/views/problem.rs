use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::http_api::Problem;

/// A problem as a part of a response.
#[derive(Deserialize)]
pub struct ProblemView(Value);

impl ProblemView {
    pub fn new(problem: &Problem, request_id: &str) -> Self {
        Self(problem.to_value(request_id))
    }
}

impl Serialize for ProblemView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The API's documentation describes problems itself.
#[cfg(feature = "describe")]
impl schemars::JsonSchema for ProblemView {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ProblemView".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"$ref": "#/components/schemas/Problem"})
    }
}
