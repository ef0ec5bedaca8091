//! A customer's records, read by the customer or an operator.

use domain::{GrantId, Invitation, PartnerId};
use platform::handler::views::{
    CustomerResponse, CustomerView, EventView, GrantResponse, GrantView, InvitationView, PageView, PartnerRow,
    PartnerRowResponse, SubscriptionView,
};
use platform::handler::{Context, Found, ListQuery, Nothing, Path, ReadingCustomer};
use platform::http_api::Problem;
use platform::store::{List, Page};

use crate::grants::own_grant;
use crate::lists::{self, ByState, OfEvents, OfGrants};

fn list_of(caller: &ReadingCustomer) -> List {
    List::Customer(caller.customer.clone())
}

pub(crate) async fn customer(
    context: Context,
    caller: ReadingCustomer,
    _: Nothing,
) -> Result<Found<CustomerResponse>, Problem> {
    let tenant = context.app.store.tenant(context.op(), &caller.customer).await?.ok_or_else(Problem::not_found)?;
    Ok(Found(CustomerResponse { customer: CustomerView::new(&tenant) }))
}

pub(crate) async fn partner(
    context: Context,
    caller: ReadingCustomer,
    Path(id): Path<PartnerId>,
) -> Result<Found<PartnerRowResponse>, Problem> {
    let (relationship, grants) = lists::relationship(&context, &caller.customer, &id).await?;
    let partner = context.app.store.partner(context.op(), &id).await?;
    let row = PartnerRow::new(&relationship, &grants, partner.as_ref(), context.now());
    Ok(Found(PartnerRowResponse { relationship: row }))
}

/// Which partner holds which roles until when.
pub(crate) async fn partners(
    context: Context,
    caller: ReadingCustomer,
    query: ListQuery,
) -> Result<Found<PageView<PartnerRow>>, Problem> {
    let store = &context.app.store;
    let found = store.relationships(context.op(), &list_of(&caller), &query.page(&caller.key)).await?;
    let ids = found.items.iter().map(|(relationship, _)| &relationship.partner_id);
    let partners = store.partners_by_id(context.op(), ids).await?;
    let items = found.items.into_iter().zip(partners).collect();
    Ok(Found(PageView::new(Page { items, next_cursor: found.next_cursor }, |((relationship, grants), partner)| {
        PartnerRow::new(relationship, grants, partner.as_ref(), context.now())
    })))
}

pub(crate) async fn invitations(
    context: Context,
    caller: ReadingCustomer,
    query: ListQuery<ByState>,
) -> Result<Found<PageView<InvitationView>>, Problem> {
    lists::invitations(&context, &caller.key, &list_of(&caller), &query).await
}

pub(crate) async fn subscriptions(
    context: Context,
    caller: ReadingCustomer,
    query: ListQuery,
) -> Result<Found<PageView<SubscriptionView>>, Problem> {
    lists::subscriptions(&context, &caller.key, &list_of(&caller), &query).await
}

pub(crate) async fn grants(
    context: Context,
    caller: ReadingCustomer,
    query: ListQuery<OfGrants>,
) -> Result<Found<PageView<GrantView>>, Problem> {
    lists::grants(&context, &caller.key, &list_of(&caller), &query).await
}

pub(crate) async fn grant(
    context: Context,
    caller: ReadingCustomer,
    Path(id): Path<GrantId>,
) -> Result<Found<GrantResponse>, Problem> {
    own_grant(&context, &id, |invitation: &Invitation| invitation.customer == caller.customer).await
}

pub(crate) async fn events(
    context: Context,
    caller: ReadingCustomer,
    query: ListQuery<OfEvents>,
) -> Result<Found<PageView<EventView>>, Problem> {
    lists::events(&context, &caller.key, &list_of(&caller), &query).await
}
