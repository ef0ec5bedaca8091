//! A customer's records, read by the customer or an operator.

use domain::InvitationState;
use platform::handler::App;
use platform::handler::Caller;
use platform::handler::views::{InvitationView, PartnerRow, SubscriptionView};
use platform::http_api::{Problem, Request, Response};
use platform::store::{List, Page};

use crate::list::events_of;
use platform::handler::list::{Query, answer, refused};

async fn reading(app: &App, request: &Request) -> Result<(Caller, List), Problem> {
    let caller = Caller::by_key(app, request).await?;
    let customer = caller.reading_customer(app, request).await?;
    Ok((caller, List::Customer(customer)))
}

/// Rows of `{partner_id,name,state,since,ended_at?,grants}`: which partner holds which roles until when.
pub(crate) async fn partners(app: &App, request: &Request) -> Result<Response, Problem> {
    let (caller, list) = reading(app, request).await?;
    let page = Query::of(request).page(&caller, app.policy_for(request))?;
    let mut found = app.store.relationships(request.op(), &list, &page).await.map_err(refused)?;
    let ids = found.items.iter().map(|(relationship, _)| &relationship.partner_id);
    let partners = app.store.partners_of(request.op(), ids).await?;
    let items = found.items.drain(..).zip(partners).collect();
    answer(Page { items, next_cursor: found.next_cursor }, |((relationship, grants), partner)| {
        PartnerRow::new(relationship, grants, partner.as_ref(), request.now)
    })
}

pub(crate) async fn invitations(app: &App, request: &Request) -> Result<Response, Problem> {
    let (caller, list) = reading(app, request).await?;
    let mut query = Query::of(request);
    let expected = "pending, accepted, declined, cancelled or expired is expected";
    let state = query.take("state", expected, InvitationState::parse);
    let page = query.page(&caller, app.policy_for(request))?;
    let found = app.store.invitations(request.op(), &list, &page, state).await.map_err(refused)?;
    answer(found, |invitation| InvitationView::new(invitation, request.now))
}

pub(crate) async fn subscriptions(app: &App, request: &Request) -> Result<Response, Problem> {
    let (caller, list) = reading(app, request).await?;
    let page = Query::of(request).page(&caller, app.policy_for(request))?;
    let found = app.store.subscriptions(request.op(), &list, &page).await.map_err(refused)?;
    answer(found, SubscriptionView::new)
}

pub(crate) async fn events(app: &App, request: &Request) -> Result<Response, Problem> {
    let (caller, list) = reading(app, request).await?;
    events_of(app, request, &caller, &list).await
}
