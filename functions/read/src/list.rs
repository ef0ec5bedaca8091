//! The lists of events, which three kinds of callers have.

use platform::handler::App;
use platform::handler::Caller;
use platform::handler::list::{Query, answer, refused};
use platform::handler::views::EventView;
use platform::http_api::{FieldError, Problem, Request, Response};
use platform::store::List;

/// Events, newest first; with `after` the feed, oldest first. `subject` filters by any id an event names.
pub(crate) async fn events_of(app: &App, request: &Request, caller: &Caller, list: &List) -> Result<Response, Problem> {
    let mut query = Query::of(request);
    let is_id = |text: &str| ((1..=64).contains(&text.len()) && !text.contains('#')).then(|| text.to_owned());
    let subject = query.take("subject", "an id is expected", is_id);
    let after = query.take("after", "a cursor is expected", |text| Some(text.to_owned()));
    let mut page = query.page(caller, app.policy_for(request))?;
    let found = match after {
        None => app.store.events(request.op(), list, &page, subject.as_deref()).await,
        Some(_) if page.cursor.is_some() => return Err(both()),
        Some(after) => {
            page.cursor = Some(after).filter(|cursor| !cursor.is_empty());
            app.store.events_after(request.op(), list, &page, subject.as_deref()).await
        }
    };
    answer(found.map_err(refused)?, EventView::new)
}

fn both() -> Problem {
    let detail = "either `after` (the feed) or `cursor` (the list) is expected";
    Problem::validation(vec![FieldError { pointer: "?after".into(), code: "value", detail: detail.into() }])
}
