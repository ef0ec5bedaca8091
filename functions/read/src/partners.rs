//! A partner's records, read by the partner or an operator.

use domain::{Grant, InvitationId, InvitationState, Partner, Relationship, SubscriptionId};
use platform::handler::App;
use platform::handler::Caller;
use platform::handler::views::{CustomerRow, InvitationResponse, InvitationView, SubscriptionView};
use platform::http_api::{Problem, Request, Response};
use platform::store::List;
use serde_json::json;

use crate::list::events_of;
use platform::handler::list::{Query, answer, refused};

struct Reading {
    caller: Caller,
    partner: Partner,
    list: List,
}

async fn reading(app: &App, request: &Request) -> Result<Reading, Problem> {
    let caller = Caller::by_key(app, request).await?;
    let partner = caller.reading_partner(app, request).await?;
    let list = List::Partner(partner.partner_id.clone());
    Ok(Reading { caller, partner, list })
}

pub(crate) async fn invitations(app: &App, request: &Request) -> Result<Response, Problem> {
    let reading = reading(app, request).await?;
    let mut query = Query::of(request);
    let expected = "pending, accepted, declined, cancelled or expired is expected";
    let state = query.take("state", expected, InvitationState::parse);
    let page = query.page(&reading.caller, app.policy_for(request))?;
    let found = app.store.invitations(request.op(), &reading.list, &page, state).await.map_err(refused)?;
    answer(found, |invitation| InvitationView::new(invitation, request.now))
}

pub(crate) async fn invitation(app: &App, request: &Request) -> Result<Response, Problem> {
    let reading = reading(app, request).await?;
    let id = InvitationId::parse(request.path("invitation_id")).ok_or_else(Problem::not_found)?;
    let invitation = app.store.invitation(request.op(), &id).await?;
    let own = invitation.filter(|invitation| invitation.partner_id == reading.partner.partner_id);
    Response::json(200, &InvitationResponse::new(&own.ok_or_else(Problem::not_found)?, request.now))
}

/// Rows of `{customer_tenant_id,name,state,since,ended_at?,grants}`.
pub(crate) async fn customers(app: &App, request: &Request) -> Result<Response, Problem> {
    let reading = reading(app, request).await?;
    let page = Query::of(request).page(&reading.caller, app.policy_for(request))?;
    let mut found = app.store.relationships(request.op(), &reading.list, &page).await.map_err(refused)?;
    let customers = found.items.iter().map(|(relationship, _)| &relationship.customer);
    let names = app.store.tenant_names(request.op(), customers).await?;
    let status = reading.partner.status;
    let rows = found.items.drain(..).zip(names).collect::<Vec<_>>();
    let page = platform::store::Page { items: rows, next_cursor: found.next_cursor };
    answer(page, |((relationship, grants), name): &((Relationship, Vec<Grant>), Option<String>)| {
        CustomerRow::new(relationship, grants, name.clone(), status, request.now)
    })
}

pub(crate) async fn subscriptions(app: &App, request: &Request) -> Result<Response, Problem> {
    let reading = reading(app, request).await?;
    let page = Query::of(request).page(&reading.caller, app.policy_for(request))?;
    let found = app.store.subscriptions(request.op(), &reading.list, &page).await.map_err(refused)?;
    answer(found, SubscriptionView::new)
}

pub(crate) async fn subscription(app: &App, request: &Request) -> Result<Response, Problem> {
    let reading = reading(app, request).await?;
    let id = SubscriptionId::parse(request.path("subscription_id")).ok_or_else(Problem::not_found)?;
    let found = app.store.subscription(request.op(), reading.partner.cloud, &id).await?;
    let own = found.filter(|subscription| subscription.partner_of_record == reading.partner.partner_id);
    Response::json(200, &json!({"subscription": SubscriptionView::new(&own.ok_or_else(Problem::not_found)?)}))
}

pub(crate) async fn events(app: &App, request: &Request) -> Result<Response, Problem> {
    let reading = reading(app, request).await?;
    events_of(app, request, &reading.caller, &reading.list).await
}
