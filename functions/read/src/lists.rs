//! Lists that several kinds of callers have.

use domain::{Grant, GrantState, InvitationState, PartnerId, Relationship, TenantId, Timestamp};
use platform::handler::views::{EventView, GrantView, InvitationView, PageView, SubscriptionView, Viewer};
use platform::handler::{Context, Filter, Found, KeyHolder, ListQuery, QueryReader};
use platform::http_api::{InvalidField, Problem};
use platform::store::{EventSubject, GrantFilter, List};

/// `state=`
pub(crate) struct ByState(Option<InvitationState>);

impl Filter for ByState {
    fn parameters<R: QueryReader>(reader: &mut R) -> Self {
        let about = "Only invitations in this state now.";
        Self(reader.word("state", about, InvitationState::ALL, InvitationState::as_str))
    }
}

/// Invitations, newest first.
pub(crate) async fn invitations(
    context: &Context,
    caller: &KeyHolder,
    list: &List,
    query: &ListQuery<ByState>,
) -> Result<Found<PageView<InvitationView>>, Problem> {
    let ByState(state) = query.filter;
    let found = context.app.store.invitations(context.op(), list, &query.page(caller), state).await?;
    let viewer = Viewer::from(&caller.principal);
    Ok(Found(PageView::new(found, |invitation| InvitationView::new(invitation, context.now(), viewer))))
}

/// `state=` and `ends_before=`
pub(crate) struct OfGrants(GrantFilter);

impl Filter for OfGrants {
    fn parameters<R: QueryReader>(reader: &mut R) -> Self {
        let about = "Only grants in this state now.";
        let state = reader.word("state", about, GrantState::ALL, GrantState::as_str);
        let about = "Only grants that end before this time (UTC, RFC 3339).";
        let expected = "a UTC time such as 2026-11-22T17:40:00Z is expected";
        let ends_before = reader.text("ends_before", about, expected, Timestamp::parse);
        Self(GrantFilter { state, ends_before })
    }
}

/// Grants, soonest end first.
pub(crate) async fn grants(
    context: &Context,
    caller: &KeyHolder,
    list: &List,
    query: &ListQuery<OfGrants>,
) -> Result<Found<PageView<GrantView>>, Problem> {
    let OfGrants(filter) = &query.filter;
    let found = context.app.store.grants(context.op(), list, &query.page(caller), filter).await?;
    Ok(Found(PageView::new(found, |row| {
        GrantView::in_relationship(&row.relationship, &row.grant, context.now(), row.partner)
    })))
}

/// Subscriptions, newest first.
pub(crate) async fn subscriptions(
    context: &Context,
    caller: &KeyHolder,
    list: &List,
    query: &ListQuery,
) -> Result<Found<PageView<SubscriptionView>>, Problem> {
    let found = context.app.store.subscriptions(context.op(), list, &query.page(caller)).await?;
    let sees_all = Viewer::from(&caller.principal).sees_partners_notes();
    let view = if sees_all { SubscriptionView::new } else { SubscriptionView::for_customer };
    Ok(Found(PageView::new(found, view)))
}

/// An active or ended relationship, with the grants of its present or last period.
pub(crate) async fn relationship(
    context: &Context,
    customer: &TenantId,
    partner: &PartnerId,
) -> Result<(Relationship, Vec<Grant>), Problem> {
    let found = context.app.store.relationship_with_readable_grants(context.op(), customer, partner).await?;
    let (relationship, mut grants) = found.ok_or_else(Problem::not_found)?;
    let period = relationship.period.as_ref().map(|(id, _)| id).ok_or_else(Problem::not_found)?;
    grants.retain(|grant| grant.period == *period);
    grants.sort_unstable_by_key(|grant| std::cmp::Reverse(grant.starts_at));
    Ok((relationship, grants))
}

/// `subject=` and `after=`
pub(crate) struct OfEvents {
    subject: Option<EventSubject>,
    after: Option<String>,
}

impl Filter for OfEvents {
    fn parameters<R: QueryReader>(reader: &mut R) -> Self {
        let any = |text: &str| Some(text.to_owned());
        let about = "Only events whose subject has this id.";
        let subject = reader.text("subject", about, "an id is expected", EventSubject::parse);
        let about =
            "Follow the events as a feed, oldest first: events after this cursor, or from the start if it is empty.";
        let after = reader.text("after", about, "a cursor is expected", any);
        Self { subject, after }
    }
}

/// Events, newest first; with `after` the feed, oldest first.
pub(crate) async fn events(
    context: &Context,
    caller: &KeyHolder,
    list: &List,
    query: &ListQuery<OfEvents>,
) -> Result<Found<PageView<EventView>>, Problem> {
    let (store, op, subject) = (&context.app.store, context.op(), query.filter.subject.as_ref());
    let found = match &query.filter.after {
        None => store.events(op, list, &query.page(caller), subject).await?,
        Some(_) if query.has_cursor() => {
            let detail = "send either `after` (the feed) or `cursor` (the list), not both";
            return Err(Problem::validation(vec![InvalidField::value(detail).at("?after")]));
        }
        Some(after) => {
            let cursor = Some(after.clone()).filter(|cursor| !cursor.is_empty());
            store.events_after(op, list, &query.page_after(caller, cursor), subject).await?
        }
    };
    Ok(Found(PageView::new(found, |event| EventView::new(event, Some(&caller.principal)))))
}
