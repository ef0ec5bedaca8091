//! Lists: what may be asked of one, and how a page is answered.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::handler::Caller;
use crate::handler::views::PageView;
use crate::http_api::{Code, FieldError, Problem, Request, Response};
use crate::store::{Page, PageError, PageRequest};
use domain::PolicyVersion;

/// The query of a list, its known parameters taken out one by one.
pub struct Query<'a> {
    parameters: BTreeMap<&'a str, &'a str>,
    errors: Vec<FieldError>,
}

impl<'a> Query<'a> {
    /// The query of a request.
    pub fn of(request: &'a Request) -> Self {
        Self { parameters: request.query().collect(), errors: Vec::new() }
    }

    /// A parameter that `parse` takes.
    pub fn take<T>(&mut self, name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.parameters.remove(name)?;
        let parsed = parse(value);
        if parsed.is_none() {
            self.wrong(name, "value", expected.to_owned());
        }
        parsed
    }

    /// The page that is asked for; whatever parameter is left now is unknown.
    ///
    /// # Errors
    /// 422 `validation_failed` with every wrong parameter.
    pub fn page(mut self, caller: &Caller, policy: &PolicyVersion) -> Result<PageRequest, Problem> {
        let most = policy.limits.page_max;
        let in_range = |text: &str| text.parse().ok().filter(|limit| (1..=most).contains(limit));
        let limit = self.take("limit", &format!("a whole number from 1 to {most} is expected"), in_range);
        let cursor = self.parameters.remove("cursor").map(str::to_owned);
        for name in std::mem::take(&mut self.parameters).into_keys() {
            self.wrong(name, "unknown", "this parameter is not known here".to_owned());
        }
        if !self.errors.is_empty() {
            return Err(Problem::validation(self.errors));
        }
        let caller = format!("{} {}", caller.principal.kind(), caller.principal.id().unwrap_or_default());
        Ok(PageRequest { limit: limit.unwrap_or(policy.limits.page_default), cursor, caller })
    }

    /// Notes that a parameter is wrong. Of a name that the caller chose no more is repeated than a pointer may hold.
    fn wrong(&mut self, name: &str, code: &'static str, detail: String) {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        self.errors.push(FieldError { pointer: format!("?{shown}"), code, detail: detail.into() });
    }
}

/// `{items,next_cursor?}`
///
/// # Errors
/// 500 `internal` when it can't be written.
pub fn answer<I, T: Serialize>(page: Page<I>, view: impl Fn(&I) -> T) -> Result<Response, Problem> {
    Response::json(200, &PageView::new(page, view))
}

/// A page error as an answer.
pub fn refused(error: PageError) -> Problem {
    match error {
        PageError::Cursor => Problem::new(
            Code::CursorInvalid,
            "The cursor is damaged, or comes from another caller, list or filter. Start without it.",
        ),
        PageError::Store(error) => error.into(),
    }
}
