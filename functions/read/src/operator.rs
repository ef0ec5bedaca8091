//! The operator's lists.

use platform::handler::App;
use platform::handler::Caller;
use platform::handler::views::{CustomerView, KeyView, PartnerView};
use platform::http_api::{Problem, Request, Response};
use platform::store::List;

use crate::list::events_of;
use platform::handler::list::{Query, answer, refused};

async fn reading(app: &App, request: &Request) -> Result<Caller, Problem> {
    let caller = Caller::by_key(app, request).await?;
    caller.operator()?;
    Ok(caller)
}

pub(crate) async fn customers(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = reading(app, request).await?;
    let page = Query::of(request).page(&caller, app.policy_for(request))?;
    answer(app.store.tenants(request.op(), &page).await.map_err(refused)?, CustomerView::new)
}

pub(crate) async fn partners(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = reading(app, request).await?;
    let page = Query::of(request).page(&caller, app.policy_for(request))?;
    answer(app.store.partners(request.op(), &page).await.map_err(refused)?, PartnerView::new)
}

pub(crate) async fn keys(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = reading(app, request).await?;
    let page = Query::of(request).page(&caller, app.policy_for(request))?;
    answer(app.store.access_keys(request.op(), &page).await.map_err(refused)?, KeyView::new)
}

pub(crate) async fn events(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = reading(app, request).await?;
    events_of(app, request, &caller, &List::Operator).await
}
