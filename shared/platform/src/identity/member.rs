//! Members of JSON objects that may be absent.

use serde::{Deserialize, Deserializer};

/// A member that is there. `null` is a value too, and not the same as an absent member.
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}
