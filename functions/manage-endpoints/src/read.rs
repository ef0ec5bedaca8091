//! Endpoints and their deliveries, as lists.

use domain::Owner;
use platform::handler::views::{DeliveryView, EndpointResponse, EndpointView, PageView};
use platform::handler::{Context, Found, ListQuery, Nothing, Reading};
use platform::http_api::Problem;
use platform::store::List;

use crate::owner::{check_live, endpoint};

fn list_of(owner: Owner) -> List {
    match owner {
        Owner::Partner(id) => List::Partner(id),
        Owner::Customer(id) => List::Customer(id),
    }
}

pub(crate) async fn list<C: Reading>(
    context: Context,
    caller: C,
    query: ListQuery,
) -> Result<Found<PageView<EndpointView>>, Problem> {
    let (owner, key) = caller.into_owner();
    let found = context.app.store.endpoints(context.op(), &list_of(owner), &query.page(&key)).await?;
    Ok(Found(PageView::new(found, EndpointView::new)))
}

pub(crate) async fn one<C: Reading>(
    context: Context,
    caller: C,
    _: Nothing,
) -> Result<Found<EndpointResponse>, Problem> {
    let (owner, _) = caller.into_owner();
    let endpoint = endpoint(&context, &owner).await?;
    check_live(&endpoint)?;
    Ok(Found(EndpointResponse::new(&endpoint)))
}

pub(crate) async fn deliveries<C: Reading>(
    context: Context,
    caller: C,
    query: ListQuery,
) -> Result<Found<PageView<DeliveryView>>, Problem> {
    let (owner, key) = caller.into_owner();
    let endpoint = endpoint(&context, &owner).await?;
    check_live(&endpoint)?;
    let found = context.app.store.deliveries(context.op(), &endpoint.endpoint_id, &query.page(&key)).await?;
    Ok(Found(PageView::new(found, DeliveryView::new)))
}
