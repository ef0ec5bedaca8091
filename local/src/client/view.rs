use serde::de::DeserializeOwned;

use super::ClientError;
use crate::api::Answer;

/// Reads a response into the struct that the API writes.
///
/// # Errors
/// [`ClientError::Unexpected`], for example because the service is newer and has words that this version does not know.
pub fn view<T: DeserializeOwned>(answer: &Answer) -> Result<T, ClientError> {
    serde_json::from_slice(&answer.body).map_err(|error| ClientError::Unexpected(error.to_string()))
}
