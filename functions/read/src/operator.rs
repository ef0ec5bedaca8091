//! The operator's lists.

use shared::app::App;
use shared::auth::Caller;
use shared::domain::{AccessKey, Partner, Tenant};
use shared::http::{Problem, Request, Response};
use shared::store::List;

use crate::list::events_of;
use shared::http::list::{Query, answer, refused};

async fn reading(app: &App, request: &Request) -> Result<Caller, Problem> {
    let caller = Caller::by_key(app, request).await?;
    caller.operator()?;
    Ok(caller)
}

pub(crate) async fn customers(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = reading(app, request).await?;
    let page = Query::of(request).page(&caller, app.policy_for(request))?;
    answer(app.store.tenants(request.attempt(), &page).await.map_err(refused)?, Tenant::view)
}

pub(crate) async fn partners(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = reading(app, request).await?;
    let page = Query::of(request).page(&caller, app.policy_for(request))?;
    answer(app.store.partners(request.attempt(), &page).await.map_err(refused)?, Partner::view)
}

pub(crate) async fn keys(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = reading(app, request).await?;
    let page = Query::of(request).page(&caller, app.policy_for(request))?;
    answer(app.store.access_keys(request.attempt(), &page).await.map_err(refused)?, AccessKey::view)
}

pub(crate) async fn events(app: &App, request: &Request) -> Result<Response, Problem> {
    let caller = reading(app, request).await?;
    events_of(app, request, &caller, &List::Operator).await
}
