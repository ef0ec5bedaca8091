//! Reads objects of a request body, and describes them.

use serde_json::{Map, Value};

use super::Problem;
use super::body::{Body, Patch, Reader, Rules, Unread};
use super::field::{At, FieldError, InvalidField};
use super::schemas::Schemas;
use super::shape::Shape;
use super::sketch;

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
        sketch::describe::<B>(schemas, &self.rules)
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

/// Reads the value of a member of the body. Pointers of errors begin with its name, because they are into the whole body.
///
/// # Errors
/// 422 `validation_failed` with every wrong member.
pub fn read_member<B: Body>(name: &str, value: Value, rules: &Rules<'_>) -> Result<B, Problem> {
    let mut errors: Vec<FieldError> = Vec::new();
    let body = ObjectOf::<B>::new(rules).read(value, &mut At::root(&mut errors).child(name));
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
        Unread::new(name, self.members.remove(name))
    }

    fn invalid(&mut self, name: &'static str, invalid: InvalidField) {
        let _: Option<()> = self.at.child(name).invalid(invalid);
    }

    fn invalid_element(&mut self, name: &'static str, index: usize, invalid: InvalidField) {
        let _: Option<()> = self.at.child(name).child(&index.to_string()).invalid(invalid);
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use serde_json::json;

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
