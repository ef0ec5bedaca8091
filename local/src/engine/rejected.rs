//! An error of the engine, as DynamoDB sends it.

use dynoxide::DynoxideError;
use serde_json::Value;

/// The HTTP status and the response.
pub(super) fn rejected(error: &DynoxideError) -> (u16, Value) {
    (error.status_code(), serde_json::from_str(&error.to_json()).unwrap_or_default())
}
