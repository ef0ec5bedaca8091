//! One wrong place in a request: where it is, which kind of fault it is, what is expected there.

use std::borrow::Cow;

use domain::text::TextError;
use serde::{Deserialize, Serialize};

/// The kinds of faults. Each has one meaning, the same in a body and in a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldCode {
    /// A member that must be present is absent.
    Required,
    /// The member or parameter does not exist here.
    Unknown,
    /// Another JSON type is expected; for a parameter, a number.
    Type,
    /// The text does not have the expected form.
    Format,
    /// The number, length or count is outside its limits.
    Range,
    /// The value is not one of those that are allowed here.
    Value,
}

impl FieldCode {
    /// Every code.
    pub const ALL: &'static [Self] =
        &[Self::Required, Self::Unknown, Self::Type, Self::Format, Self::Range, Self::Value];

    /// The code as it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Unknown => "unknown",
            Self::Type => "type",
            Self::Format => "format",
            Self::Range => "range",
            Self::Value => "value",
        }
    }
}

/// An entry of a problem's `errors`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// RFC 6901 JSON pointer into the body, or `?name` for a query parameter.
    pub pointer: String,
    /// The kind of fault.
    pub code: FieldCode,
    /// What is expected there; never the value that was sent.
    pub detail: Cow<'static, str>,
}

/// What is wrong with a value, without its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    pub(super) code: FieldCode,
    pub(super) detail: Cow<'static, str>,
}

impl InvalidField {
    fn new(code: FieldCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// A member is missing.
    pub fn required() -> Self {
        Self::new(FieldCode::Required, "this member is required")
    }

    /// A member is missing that is only required here, with the reason.
    pub fn required_because(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(FieldCode::Required, detail)
    }

    /// A member that does not exist here.
    pub fn unknown() -> Self {
        Self::new(FieldCode::Unknown, "unknown member; remove it")
    }

    /// A query parameter that does not exist here.
    pub fn unknown_parameter() -> Self {
        Self::new(FieldCode::Unknown, "unknown parameter; remove it")
    }

    /// Another JSON type is expected.
    pub fn kind(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(FieldCode::Type, detail)
    }

    /// The text does not have the expected form.
    pub fn format(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(FieldCode::Format, detail)
    }

    /// The number, length or count is outside its limits.
    pub fn range(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(FieldCode::Range, detail)
    }

    /// The value is not one of those that are allowed.
    pub fn value(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(FieldCode::Value, detail)
    }

    /// The fault at this place.
    pub fn at(self, pointer: impl Into<String>) -> FieldError {
        FieldError { pointer: pointer.into(), code: self.code, detail: self.detail }
    }
}

impl From<TextError> for InvalidField {
    fn from(error: TextError) -> Self {
        match error {
            TextError::Empty | TextError::TooLong => Self::range(error.detail()),
            _ => Self::format(error.detail()),
        }
    }
}

/// Where in a body a value is, and the faults that were found so far.
pub struct At<'a> {
    pointer: String,
    errors: &'a mut Vec<FieldError>,
}

impl<'a> At<'a> {
    /// The whole body.
    pub fn root(errors: &'a mut Vec<FieldError>) -> Self {
        Self { pointer: String::new(), errors }
    }

    /// A member of the value here, or an element by its index. A name that the caller chose is cut to 64 characters.
    pub fn child(&mut self, name: &str) -> At<'_> {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        // RFC 6901 section 3.
        let escaped = shown.replace('~', "~0").replace('/', "~1");
        At { pointer: format!("{}/{escaped}", self.pointer), errors: self.errors }
    }

    /// The same place, borrowed for a shorter time.
    pub fn reborrow<'b>(at: &'b mut At<'_>) -> At<'b> {
        At { pointer: at.pointer.clone(), errors: at.errors }
    }

    /// Notes what is wrong here. Always `None`, so that a reader can return it.
    pub fn invalid<T>(&mut self, invalid: InvalidField) -> Option<T> {
        self.errors.push(invalid.at(self.pointer.clone()));
        None
    }

    /// How many faults were found so far, anywhere.
    pub fn count(&self) -> usize {
        self.errors.len()
    }
}
