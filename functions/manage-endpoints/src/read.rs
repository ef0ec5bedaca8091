//! Endpoints and their deliveries, as lists.

use platform::handler::App;
use platform::handler::list::{Query, answer, refused};
use platform::handler::views::{DeliveryView, EndpointView};
use platform::http_api::{Problem, Request, Response};
use serde_json::json;

use crate::owner::Reading;

pub(crate) async fn list(app: &App, request: &Request) -> Result<Response, Problem> {
    let reading = Reading::of(app, request).await?;
    let page = Query::of(request).page(&reading.caller, app.policy_for(request))?;
    let found = app.store.endpoints(request.op(), &reading.list(), &page).await.map_err(refused)?;
    answer(found, EndpointView::new)
}

pub(crate) async fn one(app: &App, request: &Request) -> Result<Response, Problem> {
    let reading = Reading::of(app, request).await?;
    Response::json(200, &json!({"endpoint": EndpointView::new(&reading.endpoint().await?)}))
}

/// What was sent to the endpoint in the last 30 days, newest first.
pub(crate) async fn deliveries(app: &App, request: &Request) -> Result<Response, Problem> {
    let reading = Reading::of(app, request).await?;
    let endpoint = reading.endpoint().await?;
    let page = Query::of(request).page(&reading.caller, app.policy_for(request))?;
    let found = app.store.deliveries(request.op(), &endpoint.endpoint_id, &page).await.map_err(refused)?;
    answer(found, DeliveryView::new)
}
