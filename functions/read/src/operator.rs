//! The operator's lists.

use domain::{KeyId, Principal};
use platform::handler::views::{CustomerView, EventView, KeyResponse, KeyView, PageView, PartnerView};
use platform::handler::{Context, Filter, Found, ListQuery, Operator, Path, QueryReader};
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

/// `principal=`
#[derive(Clone)]
pub(crate) struct OfPrincipal(Option<Principal>);

impl Filter for OfPrincipal {
    fn parameters<R: QueryReader>(reader: &mut R) -> Self {
        let about = "Only the keys of this partner or customer, by its id, or of operators: `operator`.";
        Self(reader.text(
            "principal",
            about,
            "`operator` or an id of a partner or customer is expected",
            Principal::parse,
        ))
    }
}

pub(crate) async fn key(context: Context, _: Operator, Path(id): Path<KeyId>) -> Result<Found<KeyResponse>, Problem> {
    let key = context.app.store.fresh_access_key(context.op(), &id).await?.ok_or_else(Problem::not_found)?;
    Ok(Found(KeyResponse { key: KeyView::new(&key) }))
}

pub(crate) async fn keys(
    context: Context,
    caller: Operator,
    query: ListQuery<OfPrincipal>,
) -> Result<Found<PageView<KeyView>>, Problem> {
    let OfPrincipal(principal) = query.filter.clone();
    let found = context.app.store.access_keys(context.op(), &query.page(&caller.key), principal).await?;
    Ok(Found(PageView::new(found, KeyView::new)))
}

pub(crate) async fn events(
    context: Context,
    caller: Operator,
    query: ListQuery<OfEvents>,
) -> Result<Found<PageView<EventView>>, Problem> {
    lists::events(&context, &caller.key, &List::Operator, &query).await
}
