//! Reading the members of a JSON object: every wrong one is named with its pointer, unknown ones are refused.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::json::{self, JsonError};
use super::{Code, FieldError, Problem, Request};
use domain::TenantId;
use domain::text::TextError;

/// What is wrong with one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    code: &'static str,
    detail: Cow<'static, str>,
}

impl InvalidField {
    /// Another JSON type is expected.
    pub fn kind(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code: "type", detail: detail.into() }
    }

    /// The text has another form than expected.
    pub fn format(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code: "format", detail: detail.into() }
    }

    /// The number or length is out of range.
    pub fn range(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code: "range", detail: detail.into() }
    }

    /// The value is none of those that are allowed.
    pub fn value(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code: "value", detail: detail.into() }
    }
}

impl From<TextError> for InvalidField {
    fn from(error: TextError) -> Self {
        match error {
            TextError::TooLong => Self::range(error.detail()),
            _ => Self::format(error.detail()),
        }
    }
}

/// Reads a JSON document.
///
/// # Errors
/// 400 `body_encoding_invalid`, `json_invalid` (with line and column), `json_too_deep` or `json_duplicate_key`.
pub fn document(bytes: &[u8]) -> Result<Value, Problem> {
    json::parse(bytes).map_err(|error| match error {
        JsonError::Encoding => Problem::new(Code::BodyEncodingInvalid, "The body is not UTF-8."),
        JsonError::Invalid { line, column } => {
            Problem::new(Code::JsonInvalid, format!("The JSON is wrong at line {line}, column {column}."))
        }
        JsonError::TooDeep => {
            Problem::new(Code::JsonTooDeep, format!("The JSON nests deeper than {} levels.", json::MAX_DEPTH))
        }
        JsonError::DuplicateKey => Problem::new(Code::JsonDuplicateKey, "An object names the same member twice."),
    })
}

/// The members of an object, taken one by one.
pub struct Fields {
    members: Map<String, Value>,
    pointer: String,
    errors: Vec<FieldError>,
}

impl Fields {
    /// The members of a whole body.
    ///
    /// # Errors
    /// 422 `validation_failed` when it is no object.
    pub fn of(document: Value) -> Result<Self, Problem> {
        match document {
            Value::Object(members) => Ok(Self { members, pointer: String::new(), errors: Vec::new() }),
            _ => {
                let error = FieldError { pointer: String::new(), code: "type", detail: "an object is expected".into() };
                Err(Problem::validation(vec![error]))
            }
        }
    }

    /// The members of a request's body.
    ///
    /// # Errors
    /// Those of [`Request::body`], [`document`] and [`Fields::of`].
    pub fn of_body(request: &Request) -> Result<Self, Problem> {
        Self::of(document(&request.body()?)?)
    }

    /// The members of a body that may be absent.
    ///
    /// # Errors
    /// As [`Fields::of_body`].
    pub fn of_optional_body(request: &Request) -> Result<Self, Problem> {
        if request.has_body() { Self::of_body(request) } else { Self::of(Value::Object(Map::new())) }
    }

    /// Takes a member that must be there.
    pub fn required<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Result<T, InvalidField>) -> Option<T> {
        match self.members.remove(name) {
            Some(value) => self.read(name, value, read),
            None => {
                self.wrong(name, "required", "this member is required");
                None
            }
        }
    }

    /// Takes a member that may be absent or null.
    pub fn optional<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Result<T, InvalidField>) -> Option<T> {
        match self.members.remove(name) {
            None | Some(Value::Null) => None,
            Some(value) => self.read(name, value, read),
        }
    }

    /// Takes a member that is an object, and reads its members.
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        match self.members.remove(name) {
            Some(Value::Object(members)) => {
                let pointer = format!("{}/{}", self.pointer, escape(name));
                let mut inner = Self { members, pointer, errors: Vec::new() };
                let value = read(&mut inner);
                inner.refuse_unknown();
                let sound = inner.errors.is_empty();
                self.errors.append(&mut inner.errors);
                value.filter(|_| sound)
            }
            Some(_) => {
                self.wrong(name, "type", "an object is expected");
                None
            }
            None => {
                self.wrong(name, "required", "this member is required");
                None
            }
        }
    }

    /// Takes a member that is there and null.
    pub fn take_null(&mut self, name: &str) -> bool {
        let null = self.members.get(name).is_some_and(Value::is_null);
        if null {
            self.members.remove(name);
        }
        null
    }

    /// Takes a member as it is.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name)
    }

    /// Notes that a member is wrong.
    pub fn wrong(&mut self, name: &str, code: &'static str, detail: impl Into<Cow<'static, str>>) {
        let pointer = format!("{}/{}", self.pointer, escape(name));
        self.errors.push(FieldError { pointer, code, detail: detail.into() });
    }

    /// What was read, if nothing was wrong and nothing is left over.
    ///
    /// # Errors
    /// 422 `validation_failed` with every wrong member.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Problem> {
        self.refuse_unknown();
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Problem::validation(self.errors)),
        }
    }

    fn read<T>(&mut self, name: &str, value: Value, read: impl FnOnce(Value) -> Result<T, InvalidField>) -> Option<T> {
        match read(value) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.wrong(name, wrong.code, wrong.detail);
                None
            }
        }
    }

    fn refuse_unknown(&mut self) {
        // Names the caller chose are not repeated beyond what a pointer may hold.
        for name in std::mem::take(&mut self.members).into_iter().map(|(name, _)| name) {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
            self.wrong(&shown, "unknown", "this member is not known here");
        }
    }
}

/// RFC 6901 §3.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Any text at all.
///
/// # Errors
/// [`InvalidField`] for what is no text.
pub fn any_text(value: Value) -> Result<String, InvalidField> {
    text(|text| Some(text.to_owned()), "a string is expected")(value)
}

/// A tenant's id.
///
/// # Errors
/// [`InvalidField`] for anything else.
pub fn tenant_id(value: Value) -> Result<TenantId, InvalidField> {
    text(TenantId::parse, "a lower-case UUID is expected")(value)
}

/// An array of at most `most` different values that `parse` takes.
pub fn set<T: PartialEq>(
    parse: impl Fn(&str) -> Option<T>,
    most: usize,
    expected: &'static str,
) -> impl FnOnce(Value) -> Result<Vec<T>, InvalidField> {
    move |value| {
        let Value::Array(values) = value else { return Err(InvalidField::kind("an array is expected")) };
        if values.len() > most {
            return Err(InvalidField::range("each value is expected at most once"));
        }
        let mut set = Vec::with_capacity(values.len());
        for value in &values {
            let text = value.as_str().ok_or_else(|| InvalidField::kind("an array of strings is expected"))?;
            let one = parse(text).ok_or_else(|| InvalidField::value(expected))?;
            if set.contains(&one) {
                return Err(InvalidField::value("each value is expected at most once"));
            }
            set.push(one);
        }
        Ok(set)
    }
}

/// A text that `parse` takes.
pub fn text<T>(
    parse: impl FnOnce(&str) -> Option<T>,
    expected: impl Into<Cow<'static, str>>,
) -> impl FnOnce(Value) -> Result<T, InvalidField> {
    move |value| match value {
        Value::String(text) => parse(&text).ok_or_else(|| InvalidField::format(expected.into())),
        _ => Err(InvalidField::kind("a string is expected")),
    }
}

/// A text that a rule of [`domain::text`] takes.
pub fn checked(
    rule: impl FnOnce(&str) -> Result<String, TextError>,
) -> impl FnOnce(Value) -> Result<String, InvalidField> {
    move |value| match value {
        Value::String(text) => Ok(rule(&text)?),
        _ => Err(InvalidField::kind("a string is expected")),
    }
}

/// A whole number from `least` to `most`, written without fraction or exponent.
pub fn whole(least: u64, most: u64) -> impl FnOnce(Value) -> Result<u64, InvalidField> {
    move |value| {
        let number = value.as_u64().ok_or_else(|| match value {
            Value::Number(_) => InvalidField::range(format!("a whole number from {least} to {most} is expected")),
            _ => InvalidField::kind("a whole number is expected"),
        })?;
        if (least..=most).contains(&number) {
            Ok(number)
        } else {
            Err(InvalidField::range(format!("a whole number from {least} to {most} is expected")))
        }
    }
}

/// `true` or `false`.
///
/// # Errors
/// [`InvalidField`] for anything else.
pub fn boolean(value: Value) -> Result<bool, InvalidField> {
    value.as_bool().ok_or_else(|| InvalidField::kind("true or false is expected"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_wrong_member_is_named_with_its_pointer() {
        let mut fields = Fields::of(json!({"n": 1.5, "o": {"x/y": 1, "s": 5}, "odd~": null})).unwrap();
        let n = fields.required("n", whole(1, 9));
        fields.object("o", |inner| inner.required("s", text(|_| Some(()), "x")));
        fields.required("gone", boolean);
        let problem = fields.finish(n).unwrap_err();
        let named: Vec<_> = problem.errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect();
        assert_eq!(
            named,
            [("/n", "range"), ("/o/s", "type"), ("/o/x~1y", "unknown"), ("/gone", "required"), ("/odd~0", "unknown")]
        );
    }

    #[test]
    fn ten_thousand_unknown_members_give_twenty_errors() {
        let members: Map<_, _> = (0..10_000).map(|n| (n.to_string(), Value::Null)).collect();
        let problem = Fields::of(Value::Object(members)).unwrap().finish(Some(())).unwrap_err();
        assert_eq!(problem.errors.len(), super::super::MAX_FIELD_ERRORS);
    }

    #[test]
    fn a_whole_number_has_no_fraction() {
        for wrong in
            [json!(1.0), json!(-1), json!(0), json!(11), json!("5"), json!(1e3), json!(18_446_744_073_709_551_615_u64)]
        {
            assert!(whole(1, 10)(wrong.clone()).is_err(), "{wrong}");
        }
        assert_eq!(whole(1, 10)(json!(10)), Ok(10));
    }
}
