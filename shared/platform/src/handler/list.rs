//! Lists: their query, and their pages.

use std::collections::BTreeMap;

use domain::PolicyVersion;

use super::Context;
use super::caller::KeyHolder;
use super::input::Input;
use crate::http_api::shape::alternatives;
use crate::http_api::{Code, FieldError, InvalidField, Problem};
use crate::store::{PageError, PageRequest};

/// The filters of a list.
pub trait Filter: Sized + Send + 'static {
    /// Takes the parameters.
    fn parameters<R: QueryReader>(reader: &mut R) -> Self;
}

/// No filter.
pub struct All;

impl Filter for All {
    fn parameters<R: QueryReader>(_: &mut R) -> Self {
        Self
    }
}

/// Takes query parameters: from a request, or into a description.
pub trait QueryReader {
    /// A parameter that is one word of a list.
    fn word<T: Copy>(
        &mut self,
        name: &'static str,
        about: &'static str,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Option<T>;

    /// A parameter of a certain form.
    fn text<T>(
        &mut self,
        name: &'static str,
        about: &'static str,
        expected: &'static str,
        parse: fn(&str) -> Option<T>,
    ) -> Option<T>;

    /// Notes that a parameter is wrong.
    fn invalid(&mut self, name: &'static str, invalid: InvalidField);
}

/// The query of a list: its page and its filters.
pub struct ListQuery<F = All> {
    limit: usize,
    cursor: Option<String>,
    /// The filters.
    pub filter: F,
}

impl<F> ListQuery<F> {
    /// The page that this caller asks for.
    pub fn page(&self, caller: &KeyHolder) -> PageRequest {
        self.page_after(caller, self.cursor.clone())
    }

    /// The page after another cursor.
    pub fn page_after(&self, caller: &KeyHolder, cursor: Option<String>) -> PageRequest {
        PageRequest { limit: self.limit, cursor, caller: caller.cursor_owner() }
    }

    /// Whether the query has a `cursor`.
    pub fn has_cursor(&self) -> bool {
        self.cursor.is_some()
    }
}

impl<F: Filter> Input for ListQuery<F> {
    const CODES: &'static [Code] = &[Code::ValidationFailed, Code::CursorInvalid];

    fn read(context: &Context) -> Result<Self, Problem> {
        let mut query = Query { parameters: context.request.query().collect(), errors: Vec::new() };
        let filter = F::parameters(&mut query);
        let limit = query.limit(context.policy());
        let cursor = query.parameters.remove("cursor").map(str::to_owned);
        query.finish(Self { limit, cursor, filter })
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        F::parameters(&mut operation.query());
        operation.page_parameters();
    }
}

/// A request's query.
struct Query<'a> {
    parameters: BTreeMap<&'a str, &'a str>,
    errors: Vec<FieldError>,
}

impl Query<'_> {
    fn limit(&mut self, policy: &PolicyVersion) -> usize {
        let most = policy.limits.page_max;
        let Some(text) = self.parameters.remove("limit") else { return policy.limits.page_default };
        let expected = format!("a whole number from 1 to {most} is expected");
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(limit) if is_number && (1..=most).contains(&limit) => return limit,
            _ if is_number => self.invalid("limit", InvalidField::range(expected)),
            _ => self.invalid("limit", InvalidField::kind(expected)),
        }
        policy.limits.page_default
    }

    fn finish<T>(mut self, query: T) -> Result<T, Problem> {
        for name in std::mem::take(&mut self.parameters).into_keys() {
            // A name that the caller chose is cut like a member's.
            let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
            self.errors.push(InvalidField::unknown_parameter().at(format!("?{shown}")));
        }
        if self.errors.is_empty() { Ok(query) } else { Err(Problem::validation(self.errors)) }
    }
}

impl QueryReader for Query<'_> {
    fn word<T: Copy>(
        &mut self,
        name: &'static str,
        _: &'static str,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.parameters.remove(name)?;
        let found = all.iter().copied().find(|word| as_str(*word) == text);
        if found.is_none() {
            self.invalid(name, InvalidField::value(alternatives(all.iter().map(|word| as_str(*word)))));
        }
        found
    }

    fn text<T>(
        &mut self,
        name: &'static str,
        _: &'static str,
        expected: &'static str,
        parse: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(self.parameters.remove(name)?);
        if parsed.is_none() {
            self.invalid(name, InvalidField::format(expected));
        }
        parsed
    }

    fn invalid(&mut self, name: &'static str, invalid: InvalidField) {
        self.errors.push(invalid.at(format!("?{name}")));
    }
}

impl From<PageError> for Problem {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Cursor => Problem::new(
                Code::CursorInvalid,
                "The cursor is damaged, or belongs to another caller, list or filter. Request the first page again, without `cursor`.",
            ),
            PageError::Store(error) => error.into(),
        }
    }
}
