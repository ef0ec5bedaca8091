//! Shapes of values in a request body. A shape reads one value and describes what it reads as JSON Schema, so that the
//! limits that are checked are the limits that are documented.

use std::borrow::Cow;

use domain::text::{self, TextError};
use domain::{TenantId, Timestamp};
use serde_json::{Value, json};

use super::field::{At, InvalidField};
use super::schemas::Schemas;

/// Reads one value of a body, and describes it.
pub trait Shape {
    /// What is read.
    type Out;

    /// Reads a value. Notes everything that is wrong with it in `at`, and then returns `None`.
    fn read(&self, value: Value, at: &mut At<'_>) -> Option<Self::Out>;

    /// The JSON Schema of the value. Only the description of the API calls this, never a function.
    fn schema(&self, schemas: &mut Schemas) -> Value;
}

/// Any text, which is checked later.
pub struct AnyText;

impl Shape for AnyText {
    type Out = String;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<String> {
        match value {
            Value::String(text) => Some(text),
            _ => at.invalid(InvalidField::kind("a string is expected")),
        }
    }

    fn schema(&self, _: &mut Schemas) -> Value {
        json!({"type": "string"})
    }
}

/// A text that a rule of [`domain::text`] checks.
pub struct Checked<F> {
    rule: F,
    schema: Value,
}

impl<F: Fn(&str) -> Result<String, TextError>> Shape for Checked<F> {
    type Out = String;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<String> {
        match (self.rule)(&AnyText.read(value, at)?) {
            Ok(text) => Some(text),
            Err(error) => at.invalid(error.into()),
        }
    }

    fn schema(&self, _: &mut Schemas) -> Value {
        self.schema.clone()
    }
}

/// One line of text, of at most so many characters.
pub fn line(characters: usize) -> Checked<impl Fn(&str) -> Result<String, TextError>> {
    let schema = json!({"type": "string", "minLength": 1, "maxLength": characters});
    Checked { rule: move |value: &str| text::line(value, characters), schema }
}

/// A partner's name: one line that does not mix scripts in a misleading way.
pub fn partner_name(characters: usize) -> Checked<impl Fn(&str) -> Result<String, TextError>> {
    let schema = json!({"type": "string", "minLength": 1, "maxLength": characters});
    Checked { rule: move |value: &str| text::partner_name(value, characters), schema }
}

/// Text of several lines, of at most so many characters.
pub fn paragraph(characters: usize) -> Checked<impl Fn(&str) -> Result<String, TextError>> {
    let schema = json!({"type": "string", "minLength": 1, "maxLength": characters});
    Checked { rule: move |value: &str| text::paragraph(value, characters), schema }
}

/// A rule of [`domain::text`].
type Rule = fn(&str) -> Result<String, TextError>;

/// An email address.
pub fn email() -> Checked<Rule> {
    Checked { rule: text::email, schema: json!({"type": "string", "format": "idn-email", "maxLength": 254}) }
}

/// A domain name.
pub fn domain_name() -> Checked<Rule> {
    Checked { rule: text::a_labels, schema: json!({"type": "string", "format": "idn-hostname", "maxLength": 253}) }
}

/// A text of a certain form, for example an id.
pub struct Parsed<T> {
    /// Reads the text; `None` for any other form.
    pub parse: fn(&str) -> Option<T>,
    /// What is expected, for a person.
    pub expected: &'static str,
    /// A regular expression (ECMA-262) that every accepted text matches.
    pub pattern: &'static str,
    /// The JSON Schema format, if there is one.
    pub format: Option<&'static str>,
}

impl<T> Shape for Parsed<T> {
    type Out = T;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<T> {
        match (self.parse)(&AnyText.read(value, at)?) {
            Some(parsed) => Some(parsed),
            None => at.invalid(InvalidField::format(self.expected)),
        }
    }

    fn schema(&self, _: &mut Schemas) -> Value {
        let mut schema = json!({"type": "string", "pattern": self.pattern});
        if let Some(format) = self.format {
            schema["format"] = json!(format);
        }
        schema
    }
}

/// A tenant's id.
pub fn tenant_id() -> Parsed<TenantId> {
    Parsed {
        parse: TenantId::parse,
        expected: "a UUID is expected",
        pattern: "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$",
        format: Some("uuid"),
    }
}

/// A tenant's id, unless it is that of personal accounts.
pub struct OrganizationId;

impl Shape for OrganizationId {
    type Out = TenantId;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<TenantId> {
        let id = tenant_id().read(value, at)?;
        if id.is_of_personal_accounts() {
            return at.invalid(InvalidField::value(
                "this is the directory of personal accounts, which is no organization's",
            ));
        }
        Some(id)
    }

    fn schema(&self, schemas: &mut Schemas) -> Value {
        tenant_id().schema(schemas)
    }
}

/// A time with any offset.
pub fn time() -> Parsed<Timestamp> {
    Parsed {
        parse: Timestamp::parse_with_offset,
        expected: "an RFC 3339 time is expected, for example 2026-11-22T17:40:00Z",
        pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}",
        format: Some("date-time"),
    }
}

/// One word of a list, for example a role.
pub struct OneOf<'a, T> {
    /// The words that are allowed here.
    pub all: &'a [T],
    /// The word as it is written.
    pub as_str: fn(T) -> &'static str,
}

impl<T: Copy> Shape for OneOf<'_, T> {
    type Out = T;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<T> {
        let text = AnyText.read(value, at)?;
        match self.all.iter().copied().find(|word| (self.as_str)(*word) == text) {
            Some(word) => Some(word),
            None => at.invalid(InvalidField::value(alternatives(self.all.iter().map(|word| (self.as_str)(*word))))),
        }
    }

    fn schema(&self, _: &mut Schemas) -> Value {
        let words: Vec<_> = self.all.iter().map(|word| (self.as_str)(*word)).collect();
        json!({"type": "string", "enum": words})
    }
}

/// `a, b or c is expected`
pub fn alternatives<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.collect();
    match words.split_last() {
        Some((last, [])) => format!("{last} is expected"),
        Some((last, others)) => format!("{} or {last} is expected", others.join(", ")),
        None => "no value is allowed".to_owned(),
    }
}

/// A whole number, written without fraction or exponent.
pub struct Whole<T> {
    /// The smallest.
    pub least: T,
    /// The largest.
    pub most: T,
}

impl<T: Copy + Into<u64> + TryFrom<u64>> Shape for Whole<T> {
    type Out = T;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<T> {
        let (least, most) = (self.least.into(), self.most.into());
        let expected = || format!("a whole number from {least} to {most} is expected");
        let Value::Number(number) = value else { return at.invalid(InvalidField::kind(expected())) };
        // A fraction or an exponent is another type. An integer beyond 64 bits is read as a float, too.
        if number.as_f64().is_some_and(|float| number.is_f64() && float.abs() < 2_f64.powi(63)) {
            return at.invalid(InvalidField::kind(expected()));
        }
        let in_range = number.as_u64().filter(|number| (least..=most).contains(number));
        match in_range.and_then(|number| T::try_from(number).ok()) {
            Some(number) => Some(number),
            None => at.invalid(InvalidField::range(expected())),
        }
    }

    fn schema(&self, _: &mut Schemas) -> Value {
        json!({"type": "integer", "minimum": self.least.into(), "maximum": self.most.into()})
    }
}

/// `true` or `false`.
pub struct Flag;

impl Shape for Flag {
    type Out = bool;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<bool> {
        match value {
            Value::Bool(flag) => Some(flag),
            _ => at.invalid(InvalidField::kind("true or false is expected")),
        }
    }

    fn schema(&self, _: &mut Schemas) -> Value {
        json!({"type": "boolean"})
    }
}

/// An array in which each value occurs once.
pub struct SetOf<S> {
    /// The shape of each element.
    pub each: S,
    /// The smallest number of elements.
    pub least: usize,
    /// The largest number of elements.
    pub most: usize,
}

impl<S: Shape<Out: PartialEq>> Shape for SetOf<S> {
    type Out = Vec<S::Out>;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<Vec<S::Out>> {
        let Value::Array(values) = value else { return at.invalid(InvalidField::kind("an array is expected")) };
        if !(self.least..=self.most).contains(&values.len()) {
            let (least, most) = (self.least, self.most);
            return at.invalid(InvalidField::range(format!("from {least} to {most} elements are expected")));
        }
        let before = at.count();
        let mut set = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            let mut at = at.child(&index.to_string());
            let Some(element) = self.each.read(value, &mut at) else { continue };
            if set.contains(&element) {
                let _: Option<()> = at.invalid(InvalidField::value("this value occurs twice; remove one"));
            }
            set.push(element);
        }
        (at.count() == before).then_some(set)
    }

    fn schema(&self, schemas: &mut Schemas) -> Value {
        let items = self.each.schema(schemas);
        json!({"type": "array", "items": items, "minItems": self.least, "maxItems": self.most, "uniqueItems": true})
    }
}

/// An array.
pub struct ListOf<S> {
    /// The shape of each element.
    pub each: S,
    /// The smallest number of elements.
    pub least: usize,
    /// The largest number of elements.
    pub most: usize,
}

impl<S: Shape> Shape for ListOf<S> {
    type Out = Vec<S::Out>;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<Vec<S::Out>> {
        let Value::Array(values) = value else { return at.invalid(InvalidField::kind("an array is expected")) };
        if !(self.least..=self.most).contains(&values.len()) {
            let (least, most) = (self.least, self.most);
            return at.invalid(InvalidField::range(format!("from {least} to {most} elements are expected")));
        }
        let before = at.count();
        let read = |(index, value): (usize, Value)| self.each.read(value, &mut at.child(&index.to_string()));
        let list: Vec<_> = values.into_iter().enumerate().filter_map(read).collect();
        (at.count() == before).then_some(list)
    }

    fn schema(&self, schemas: &mut Schemas) -> Value {
        let items = self.each.schema(schemas);
        json!({"type": "array", "items": items, "minItems": self.least, "maxItems": self.most})
    }
}

/// `null`, or a value of another shape.
pub struct OrNull<S>(pub S);

impl<S: Shape> Shape for OrNull<S> {
    type Out = Option<S::Out>;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<Option<S::Out>> {
        if value.is_null() { Some(None) } else { self.0.read(value, at).map(Some) }
    }

    fn schema(&self, schemas: &mut Schemas) -> Value {
        or_null(self.0.schema(schemas))
    }
}

/// A schema that also allows `null`.
pub(super) fn or_null(mut schema: Value) -> Value {
    let Some(kind) = schema.get("type").and_then(Value::as_str).map(str::to_owned) else {
        return json!({"anyOf": [schema, {"type": "null"}]});
    };
    schema["type"] = json!([kind, "null"]);
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
    schema
}

/// A text of a list that is known only at run time, for example the policy's directory roles.
pub struct Listed<'a> {
    /// The texts that are allowed.
    pub all: Vec<&'a str>,
    /// What is expected, for a person.
    pub expected: Cow<'static, str>,
}

impl Shape for Listed<'_> {
    type Out = String;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<String> {
        let text = AnyText.read(value, at)?;
        if self.all.contains(&text.as_str()) {
            Some(text)
        } else {
            at.invalid(InvalidField::value(self.expected.clone()))
        }
    }

    fn schema(&self, _: &mut Schemas) -> Value {
        json!({"type": "string", "enum": self.all})
    }
}

/// Any value, which nothing depends on.
pub struct AnyValue;

impl Shape for AnyValue {
    type Out = Value;

    fn read(&self, value: Value, _: &mut At<'_>) -> Option<Value> {
        Some(value)
    }

    fn schema(&self, _: &mut Schemas) -> Value {
        json!({})
    }
}

/// Any object, which is read later.
pub struct AnyObject;

impl Shape for AnyObject {
    type Out = Value;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<Value> {
        if value.is_object() { Some(value) } else { at.invalid(InvalidField::kind("an object is expected")) }
    }

    fn schema(&self, _: &mut Schemas) -> Value {
        json!({"type": "object"})
    }
}
