//! The state in which an event leaves its record, as digests. The chain hash covers them, so a record can be compared with its
//! last event. They are never shown.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::digest;

/// 128 bits of SHA-256.
pub type StateDigest = [u8; 16];

/// The attributes of a record that has been read, in a form that depends on nothing but their values. Personal texts are not
/// among them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RecordState {
    attributes: Arc<BTreeMap<String, Vec<u8>>>,
    /// The salt of the record's personal texts.
    salt: Option<[u8; 16]>,
}

impl RecordState {
    pub fn new(attributes: BTreeMap<String, Vec<u8>>, salt: Option<[u8; 16]>) -> Self {
        Self { attributes: Arc::new(attributes), salt }
    }

    pub fn salt(&self) -> Option<[u8; 16]> {
        self.salt
    }

    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// The state after these changes. An attribute without a value is removed.
    #[must_use]
    pub fn changed(
        &self,
        changes: impl IntoIterator<Item = (String, Option<Vec<u8>>)>,
        salt: Option<[u8; 16]>,
    ) -> Self {
        let mut attributes = BTreeMap::clone(&self.attributes);
        for (name, value) in changes {
            match value {
                Some(value) => attributes.insert(name, value),
                None => attributes.remove(&name),
            };
        }
        Self::new(attributes, salt)
    }

    pub fn digest(&self) -> StateDigest {
        let parts: Vec<&[u8]> =
            self.attributes.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_slice()]).collect();
        half(digest("record state", &parts))
    }
}

impl fmt::Debug for RecordState {
    /// Values belong in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordState({} attributes)", self.attributes.len())
    }
}

/// The salted digest of a personal text. After text and salt are erased it reveals nothing, and the chain is still valid.
pub fn text_digest(salt: &[u8; 16], name: &str, text: &str) -> StateDigest {
    half(digest("personal text", &[salt, name.as_bytes(), text.as_bytes()]))
}

/// What an event records about the items of its transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateDigests {
    /// The state of the event's own record.
    pub record: StateDigest,
    /// The state of the record that the transaction creates although the event belongs to another record: the grant of an
    /// acceptance, the tenant of an enrollment.
    pub created: Option<StateDigest>,
    /// The personal texts that the event wrote; `None` for a text that it removed.
    pub texts: BTreeMap<String, Option<StateDigest>>,
}

impl StateDigests {
    /// One hash of all of them.
    pub(crate) fn hash(&self) -> [u8; 32] {
        let mut parts: Vec<&[u8]> = vec![&self.record, self.created.as_ref().map_or(&[], |created| created.as_slice())];
        for (name, text) in &self.texts {
            parts.extend([name.as_bytes(), text.as_ref().map_or(&[], |text| text.as_slice())]);
        }
        digest("event state", &parts)
    }
}

fn half(hash: [u8; 32]) -> StateDigest {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(attributes: &[(&str, &[u8])]) -> RecordState {
        RecordState::new(attributes.iter().map(|(name, value)| (name.to_string(), value.to_vec())).collect(), None)
    }

    #[test]
    fn the_digest_depends_on_every_name_and_value() {
        let states = [
            state(&[]),
            state(&[("a", b"1")]),
            state(&[("a", b"2")]),
            state(&[("b", b"1")]),
            state(&[("a", b"1"), ("b", b"")]),
            state(&[("a", b"1b")]),
        ];
        let digests: std::collections::BTreeSet<_> = states.iter().map(RecordState::digest).collect();
        assert_eq!(digests.len(), states.len());
    }

    #[test]
    fn a_changed_state_equals_one_that_was_read() {
        let before = state(&[("a", b"1"), ("b", b"2")]);
        let changes = [("a".to_owned(), Some(b"3".to_vec())), ("b".to_owned(), None), ("x".to_owned(), None)];
        assert_eq!(before.changed(changes, None), state(&[("a", b"3")]));
        assert_eq!(format!("{before:?}"), "RecordState(2 attributes)");
    }

    #[test]
    fn text_digests_depend_on_salt_name_and_text() {
        let digests = [
            text_digest(&[1; 16], "message", "Hello"),
            text_digest(&[2; 16], "message", "Hello"),
            text_digest(&[1; 16], "reason", "Hello"),
            text_digest(&[1; 16], "message", "hello"),
        ];
        assert_eq!(digests.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    }
}
