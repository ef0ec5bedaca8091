//! Request bodies. One function per body names its members; it reads a request, and it describes the body for the API's
//! documentation.
//!
//! Own code and not a `Deserialize` derive: serde stops at the first error, and a problem lists every wrong member with its
//! JSON pointer.

use domain::{PolicyVersion, Timestamp};
use serde_json::{Value, json};

use super::field::{At, InvalidField};
use super::json::{self as strict_json, JsonError};
use super::shape::Shape;
use super::{Code, MAX_BODY, Problem};

/// What the limits of a body depend on.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The policy at the request's time.
    pub policy: &'a PolicyVersion,
    /// The request's time.
    pub now: Timestamp,
}

/// A body, or an object in a body.
pub trait Body: Sized {
    /// The name of its schema.
    const NAME: &'static str;

    /// The largest request with this body, in bytes.
    const MAX_BYTES: usize = MAX_BODY;

    /// Takes every member. `None` if one that is needed is missing or wrong; the reader knows which.
    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self>;
}

/// Takes the members of an object: from a request, or into a schema.
pub trait Reader {
    /// A member that must be present.
    fn required<S: Shape>(&mut self, name: &'static str, shape: S) -> Option<S::Out>;

    /// A member that may be absent or null.
    fn optional<S: Shape>(&mut self, name: &'static str, shape: S) -> Option<S::Out>;

    /// A member whose absence and whose null mean different things.
    fn patch<S: Shape>(&mut self, name: &'static str, shape: S) -> Patch<S::Out>;

    /// A member that may be absent or null: `None` if it is, `Some(None)` if it is wrong.
    fn present<S: Shape>(&mut self, name: &'static str, shape: S) -> Option<Option<S::Out>>;

    /// A member that is checked later, in the order of the contract; `required` only documents it.
    fn unread<S: Shape>(&mut self, name: &'static str, required: bool, shape: &S) -> Unread;

    /// Notes that a member is wrong for a reason that its shape does not know.
    fn invalid(&mut self, name: &'static str, invalid: InvalidField);

    /// Notes that an element of a member is wrong for a reason that its shape does not know.
    fn invalid_element(&mut self, name: &'static str, index: usize, invalid: InvalidField);
}

/// A member of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patch<T> {
    /// It is absent: nothing changes.
    Keep,
    /// It is null: the value is removed.
    Remove,
    /// The new value.
    Set(T),
}

impl<T> Patch<T> {
    /// The value after the change.
    pub fn applied_to(&self, before: Option<&T>) -> Option<T>
    where
        T: Clone,
    {
        match self {
            Self::Keep => before.cloned(),
            Self::Remove => None,
            Self::Set(value) => Some(value.clone()),
        }
    }

    /// The value that is asked for, unless nothing changes.
    pub fn change(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Remove => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

/// A member that is checked later.
pub struct Unread {
    name: &'static str,
    value: Option<Value>,
}

impl Unread {
    pub(super) fn new(name: &'static str, value: Option<Value>) -> Self {
        Self { name, value }
    }

    /// The value as it was sent; `None` if it is absent or null.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref().filter(|value| !value.is_null())
    }

    /// Reads the member, which must be present.
    ///
    /// # Errors
    /// 422 `validation_failed`.
    pub fn read<S: Shape>(&self, shape: &S) -> Result<S::Out, Problem> {
        let mut errors = Vec::new();
        let mut root = At::root(&mut errors);
        let mut at = root.child(self.name);
        let read = match &self.value {
            Some(value) => shape.read(value.clone(), &mut at),
            None => at.invalid(InvalidField::required()),
        };
        read.filter(|_| errors.is_empty()).ok_or_else(|| Problem::validation(errors))
    }
}

/// Reads a JSON document.
///
/// # Errors
/// 400 `body_encoding_invalid`, `json_invalid` (with line and column), `json_too_deep` or `json_duplicate_key`.
pub fn document(bytes: &[u8]) -> Result<Value, Problem> {
    strict_json::parse(bytes).map_err(|error| match error {
        JsonError::Encoding => {
            Problem::new(Code::BodyEncodingInvalid, "The body is not valid UTF-8. Send it as UTF-8.")
        }
        JsonError::Invalid { line, column } => Problem::new(
            Code::JsonInvalid,
            format!("The JSON is invalid at line {line}, column {column}. Correct it there."),
        ),
        JsonError::TooDeep => {
            let most = strict_json::MAX_DEPTH;
            Problem::new(
                Code::JsonTooDeep,
                format!("The JSON is nested deeper than {most} levels. Send only documented members."),
            )
        }
        JsonError::DuplicateKey => {
            Problem::new(Code::JsonDuplicateKey, "An object has the same member twice. Send each member once.")
        }
    })
}

/// An object without members.
pub(crate) fn empty_document() -> Value {
    json!({})
}
