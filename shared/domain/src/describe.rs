//! JSON Schema of ids, times and words, for the OpenAPI document. Only with feature `describe`.

#[cfg(feature = "describe")]
use schemars::{Schema, json_schema};

/// Implements `JsonSchema` for a type that is one string in JSON.
macro_rules! describe {
    ($name:ident: $schema:expr) => {
        #[cfg(feature = "describe")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $schema
            }
        }
    };
}

pub(crate) use describe;

/// Implements `Serialize` and `Deserialize` for a type that is one text in JSON. Clients read with the same `parse` as the API.
macro_rules! text_in_json {
    ($name:ident, $expected:expr) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("expected ", $expected)))
            }
        }
    };
}

pub(crate) use text_in_json;

#[cfg(feature = "describe")]
pub(crate) fn words(docs: &[&str], words: &[&str]) -> Schema {
    with_description(docs, json_schema!({"type": "string", "enum": words}))
}

#[cfg(feature = "describe")]
pub(crate) fn text(docs: &[&str], pattern: &str) -> Schema {
    with_description(docs, json_schema!({"type": "string", "pattern": pattern}))
}

/// `docs` are the lines of a doc comment.
#[cfg(feature = "describe")]
fn with_description(docs: &[&str], mut schema: Schema) -> Schema {
    let text = docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    if !text.is_empty() {
        schema.insert("description".into(), text.into());
    }
    schema
}

#[cfg(all(test, feature = "describe"))]
mod tests {
    use schemars::schema_for;
    use serde_json::json;

    use crate::{Cloud, GrantId, Market, SubscriptionId, TenantId, Timestamp, WebhookId};

    #[test]
    fn words_are_listed_in_the_schema() {
        assert_eq!(schema_for!(Cloud).get("enum"), Some(&json!(["public", "us_gov"])));
    }

    #[test]
    fn ids_have_a_pattern_and_times_a_format() {
        let pattern = |schema: schemars::Schema| schema.get("pattern").and_then(|it| it.as_str().map(str::to_owned));
        assert_eq!(pattern(schema_for!(GrantId)).unwrap(), "^grt_[a-z2-7]{26}$");
        assert_eq!(pattern(schema_for!(WebhookId)).unwrap(), "^(evt|msg)_[a-z2-7]{26}$");
        assert_eq!(pattern(schema_for!(SubscriptionId)).unwrap(), "^[A-Za-z0-9._-]{1,64}$");
        assert_eq!(pattern(schema_for!(Market)).unwrap(), "^[A-Z]{2}$");
        assert_eq!(schema_for!(TenantId).get("format"), Some(&json!("uuid")));
        assert_eq!(schema_for!(Timestamp).get("format"), Some(&json!("date-time")));
    }
}
