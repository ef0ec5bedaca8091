//! A partner's records, read by the partner or an operator.

use domain::{GrantId, Invitation, InvitationId, SubscriptionId, TenantId};
use platform::handler::views::{
    CustomerRow, CustomerRowResponse, EventView, GrantResponse, GrantView, InvitationResponse, InvitationView,
    PageView, PartnerResponse, PartnerView, SubscriptionResponse, SubscriptionView, Viewer,
};
use platform::handler::{Context, Found, ListQuery, Nothing, Path, ReadingPartner};
use platform::http_api::Problem;
use platform::store::{List, Page};

use crate::grants::own_grant;
use crate::lists::{self, ByState, OfEvents, OfGrants};

fn list_of(caller: &ReadingPartner) -> List {
    List::Partner(caller.partner.partner_id.clone())
}

pub(crate) async fn partner(_: Context, caller: ReadingPartner, _: Nothing) -> Result<Found<PartnerResponse>, Problem> {
    Ok(Found(PartnerResponse { partner: PartnerView::new(&caller.partner) }))
}

pub(crate) async fn customer(
    context: Context,
    caller: ReadingPartner,
    Path(id): Path<TenantId>,
) -> Result<Found<CustomerRowResponse>, Problem> {
    let (relationship, grants) = lists::relationship(&context, &id, &caller.partner.partner_id).await?;
    let name = context.app.store.tenant_name(context.op(), &id).await?;
    let row = CustomerRow::new(&relationship, &grants, name, caller.partner.status, context.now());
    Ok(Found(CustomerRowResponse { relationship: row }))
}

pub(crate) async fn invitations(
    context: Context,
    caller: ReadingPartner,
    query: ListQuery<ByState>,
) -> Result<Found<PageView<InvitationView>>, Problem> {
    lists::invitations(&context, &caller.key, &list_of(&caller), &query).await
}

pub(crate) async fn invitation(
    context: Context,
    caller: ReadingPartner,
    Path(id): Path<InvitationId>,
) -> Result<Found<InvitationResponse>, Problem> {
    let invitation = context.app.store.invitation(context.op(), &id).await?;
    let own = invitation.filter(|invitation| invitation.partner_id == caller.partner.partner_id);
    let viewer = Viewer::from(&caller.key.principal);
    Ok(Found(InvitationResponse::new(&own.ok_or_else(Problem::not_found)?, context.now(), viewer)))
}

pub(crate) async fn customers(
    context: Context,
    caller: ReadingPartner,
    query: ListQuery,
) -> Result<Found<PageView<CustomerRow>>, Problem> {
    let store = &context.app.store;
    let found = store.relationships(context.op(), &list_of(&caller), &query.page(&caller.key)).await?;
    let customers = found.items.iter().map(|(relationship, _)| &relationship.customer);
    let names = store.tenant_names(context.op(), customers).await?;
    let items = found.items.into_iter().zip(names).collect();
    Ok(Found(PageView::new(Page { items, next_cursor: found.next_cursor }, |((relationship, grants), name)| {
        CustomerRow::new(relationship, grants, name.clone(), caller.partner.status, context.now())
    })))
}

pub(crate) async fn subscriptions(
    context: Context,
    caller: ReadingPartner,
    query: ListQuery,
) -> Result<Found<PageView<SubscriptionView>>, Problem> {
    lists::subscriptions(&context, &caller.key, &list_of(&caller), &query).await
}

pub(crate) async fn subscription(
    context: Context,
    caller: ReadingPartner,
    Path(id): Path<SubscriptionId>,
) -> Result<Found<SubscriptionResponse>, Problem> {
    let found = context.app.store.subscription(context.op(), caller.partner.cloud, &id).await?;
    let own = found.filter(|subscription| subscription.partner_of_record == caller.partner.partner_id);
    Ok(Found(SubscriptionResponse::new(&own.ok_or_else(Problem::not_found)?)))
}

pub(crate) async fn grants(
    context: Context,
    caller: ReadingPartner,
    query: ListQuery<OfGrants>,
) -> Result<Found<PageView<GrantView>>, Problem> {
    lists::grants(&context, &caller.key, &list_of(&caller), &query).await
}

pub(crate) async fn grant(
    context: Context,
    caller: ReadingPartner,
    Path(id): Path<GrantId>,
) -> Result<Found<GrantResponse>, Problem> {
    own_grant(&context, &id, |invitation: &Invitation| invitation.partner_id == caller.partner.partner_id).await
}

pub(crate) async fn events(
    context: Context,
    caller: ReadingPartner,
    query: ListQuery<OfEvents>,
) -> Result<Found<PageView<EventView>>, Problem> {
    lists::events(&context, &caller.key, &list_of(&caller), &query).await
}
