//! The operator's lists.

use platform::handler::views::{CustomerView, EventView, KeyView, PageView, PartnerView};
use platform::handler::{Context, Found, ListQuery, Operator};
use platform::http_api::Problem;
use platform::store::List;

use crate::lists::{self, OfEvents};

pub(crate) async fn customers(
    context: Context,
    caller: Operator,
    query: ListQuery,
) -> Result<Found<PageView<CustomerView>>, Problem> {
    let found = context.app.store.tenants(context.op(), &query.page(&caller.key)).await?;
    Ok(Found(PageView::new(found, CustomerView::new)))
}

pub(crate) async fn partners(
    context: Context,
    caller: Operator,
    query: ListQuery,
) -> Result<Found<PageView<PartnerView>>, Problem> {
    let found = context.app.store.partners(context.op(), &query.page(&caller.key)).await?;
    Ok(Found(PageView::new(found, PartnerView::new)))
}

pub(crate) async fn keys(
    context: Context,
    caller: Operator,
    query: ListQuery,
) -> Result<Found<PageView<KeyView>>, Problem> {
    let found = context.app.store.access_keys(context.op(), &query.page(&caller.key)).await?;
    Ok(Found(PageView::new(found, KeyView::new)))
}

pub(crate) async fn events(
    context: Context,
    caller: Operator,
    query: ListQuery<OfEvents>,
) -> Result<Found<PageView<EventView>>, Problem> {
    lists::events(&context, &caller.key, &List::Operator, &query).await
}
