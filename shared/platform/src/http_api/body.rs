//! Request bodies. One function per body names its members; it reads a request, and it describes the body for the API's
//! documentation.
//!
//! Own code and not a `Deserialize` derive: serde stops at the first error, and a problem lists every wrong member with its
//! JSON pointer.

use domain::{PolicyVersion, Timestamp};
use serde_json::{Map, Value, json};

use super::field::{At, FieldError, InvalidField};
use super::json::{self as strict_json, JsonError};
use super::schemas::Schemas;
use super::shape::Shape;
use super::{Code, Problem};

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
    pub(super) fn absent(name: &'static str) -> Self {
        Self { name, value: None }
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

/// An object whose members a [`Body`] names.
pub struct ObjectOf<'a, B> {
    rules: Rules<'a>,
    body: std::marker::PhantomData<fn() -> B>,
}

impl<'a, B: Body> ObjectOf<'a, B> {
    /// An object under these rules.
    pub fn new(rules: &Rules<'a>) -> Self {
        Self { rules: *rules, body: std::marker::PhantomData }
    }
}

impl<B: Body> Shape for ObjectOf<'_, B> {
    type Out = B;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<B> {
        let Value::Object(members) = value else { return at.invalid(InvalidField::kind("an object is expected")) };
        let before = at.count();
        let mut fields = Fields { members, at: At::reborrow(at) };
        let body = B::members(&mut fields, &self.rules);
        fields.reject_unknown();
        body.filter(|_| at.count() == before)
    }

    fn schema(&self, schemas: &mut Schemas) -> Value {
        schemas.body::<B>(&self.rules)
    }
}

/// Reads a whole body.
///
/// # Errors
/// 422 `validation_failed` with every wrong member.
pub fn read<B: Body>(value: Value, rules: &Rules<'_>) -> Result<B, Problem> {
    let mut errors: Vec<FieldError> = Vec::new();
    let body = ObjectOf::<B>::new(rules).read(value, &mut At::root(&mut errors));
    body.filter(|_| errors.is_empty()).ok_or_else(|| Problem::validation(errors))
}

/// The members of an object in a request.
struct Fields<'a> {
    members: Map<String, Value>,
    at: At<'a>,
}

impl Fields<'_> {
    fn reject_unknown(&mut self) {
        for name in std::mem::take(&mut self.members).into_iter().map(|(name, _)| name) {
            let _: Option<()> = self.at.child(&name).invalid(InvalidField::unknown());
        }
    }
}

impl Reader for Fields<'_> {
    fn required<S: Shape>(&mut self, name: &'static str, shape: S) -> Option<S::Out> {
        let mut at = self.at.child(name);
        match self.members.remove(name) {
            Some(value) => shape.read(value, &mut at),
            None => at.invalid(InvalidField::required()),
        }
    }

    fn optional<S: Shape>(&mut self, name: &'static str, shape: S) -> Option<S::Out> {
        let value = self.members.remove(name).filter(|value| !value.is_null())?;
        shape.read(value, &mut self.at.child(name))
    }

    fn present<S: Shape>(&mut self, name: &'static str, shape: S) -> Option<Option<S::Out>> {
        let value = self.members.remove(name).filter(|value| !value.is_null())?;
        Some(shape.read(value, &mut self.at.child(name)))
    }

    fn patch<S: Shape>(&mut self, name: &'static str, shape: S) -> Patch<S::Out> {
        match self.members.remove(name) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Remove,
            Some(value) => shape.read(value, &mut self.at.child(name)).map_or(Patch::Keep, Patch::Set),
        }
    }

    fn unread<S: Shape>(&mut self, name: &'static str, _: bool, _: &S) -> Unread {
        Unread { name, value: self.members.remove(name) }
    }

    fn invalid(&mut self, name: &'static str, invalid: InvalidField) {
        let _: Option<()> = self.at.child(name).invalid(invalid);
    }

    fn invalid_element(&mut self, name: &'static str, index: usize, invalid: InvalidField) {
        let _: Option<()> = self.at.child(name).child(&index.to_string()).invalid(invalid);
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

#[cfg(test)]
mod tests {
    use super::super::MAX_FIELD_ERRORS;
    use super::super::shape::{AnyText, Flag, SetOf, Whole};
    use super::*;

    struct Inner;

    impl Body for Inner {
        const NAME: &'static str = "Inner";

        fn members<R: Reader>(reader: &mut R, _: &Rules<'_>) -> Option<Self> {
            reader.required("s", AnyText).map(|_| Self)
        }
    }

    struct Outer;

    impl Body for Outer {
        const NAME: &'static str = "Outer";

        fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
            let number = reader.optional("n", Whole { least: 1_u32, most: 9 });
            let object = reader.optional("o", ObjectOf::<Inner>::new(rules));
            let set = reader.optional("set", SetOf { each: AnyText, least: 1, most: 3 });
            let gone = reader.required("gone", Flag);
            drop((number, object, set));
            gone.map(|_| Self)
        }
    }

    fn errors(body: Value) -> Vec<(String, &'static str)> {
        let policy = domain::Policy::built_in().unwrap();
        let now = Timestamp::from_millis(1_795_000_000_000);
        let problem = read::<Outer>(body, &Rules { policy: policy.at(now), now }).err().unwrap();
        problem.errors.into_iter().map(|error| (error.pointer, error.code.as_str())).collect()
    }

    fn expected(errors: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
        errors.iter().map(|(pointer, code)| ((*pointer).to_owned(), *code)).collect()
    }

    #[test]
    fn every_wrong_member_is_reported_with_its_pointer() {
        let body = json!({"n": 1.5, "o": {"x/y": 1, "s": 5}, "odd~": null, "set": ["a", 1, "a"]});
        let wrong = [
            ("/n", "type"),
            ("/o/s", "type"),
            ("/o/x~1y", "unknown"),
            ("/set/1", "type"),
            ("/set/2", "value"),
            ("/gone", "required"),
            ("/odd~0", "unknown"),
        ];
        assert_eq!(errors(body), expected(&wrong));
    }

    #[test]
    fn a_body_that_is_no_object_is_one_error() {
        for body in [json!([]), json!(null), json!("text"), json!(5)] {
            assert_eq!(errors(body), expected(&[("", "type")]));
        }
    }

    #[test]
    fn at_most_twenty_errors_are_reported() {
        let members: Map<_, _> = (0..10_000).map(|n| (n.to_string(), Value::Null)).collect();
        assert_eq!(errors(Value::Object(members)).len(), MAX_FIELD_ERRORS);
    }

    #[test]
    fn a_whole_number_has_no_fraction_and_no_exponent() {
        for wrong in [json!(-1), json!(0), json!(11), json!(18_446_744_073_709_551_615_u64), json!(1e30)] {
            assert_eq!(errors(json!({"gone": true, "n": wrong})), expected(&[("/n", "range")]));
        }
        for wrong in [json!("5"), json!(1.0), json!(1.5), json!(1e3)] {
            assert_eq!(errors(json!({"gone": true, "n": wrong})), expected(&[("/n", "type")]));
        }
    }
}
