//! A customer's records, read by the customer or an operator.

use platform::handler::views::{EventView, InvitationView, PageView, PartnerRow, SubscriptionView};
use platform::handler::{Context, Found, ListQuery, ReadingCustomer};
use platform::http_api::Problem;
use platform::store::{List, Page};

use crate::lists::{self, ByState, OfEvents};

fn list_of(caller: &ReadingCustomer) -> List {
    List::Customer(caller.customer.clone())
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

pub(crate) async fn events(
    context: Context,
    caller: ReadingCustomer,
    query: ListQuery<OfEvents>,
) -> Result<Found<PageView<EventView>>, Problem> {
    lists::events(&context, &caller.key, &list_of(&caller), &query).await
}
