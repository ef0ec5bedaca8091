//! Lists, newest first. A page is one query; of the operator's lists, one per shard.

use std::collections::HashMap;
use std::time::Duration;

use super::access_key::read_access_key;
use super::cursor::Scope;
use super::delivery::read_delivery;
use super::endpoint::read_endpoint;
use super::error::PageError;
use super::invitation::read_invitation;
use super::item::{CorruptItem, Item, number, text, unless_newer};
use super::keys::Listed;
use super::list::{List, Page, PageRequest};
use super::op_context::OpContext;
use super::partner::read_partner;
use super::query::Filter;
use super::shards::ListQuery;
use super::subscription::read_subscription;
use super::table::Store;
use super::tenant::read_tenant;
use domain::{
    AccessKey, Delivery, Endpoint, EndpointId, Invitation, InvitationState, Partner, Principal, Subscription, Tenant,
    Timestamp,
};

/// The time that a request must have left to read another page.
pub(super) const TIME_TO_READ_ON: Duration = Duration::from_secs(3);

impl Store {
    /// Invitations; with a state, only those in that state.
    ///
    /// # Errors
    /// [`PageError`], in all methods here.
    pub async fn invitations(
        &self,
        op: OpContext,
        list: &List,
        request: &PageRequest,
        state: Option<InvitationState>,
    ) -> Result<Page<Invitation>, PageError> {
        let filter = state.map(|state| state_filter(state, op.occurred_at));
        let scope = list.scope(Listed::Invitation, request, state.map(InvitationState::as_str).unwrap_or_default());
        self.page(op, &scope, request, filter, read_invitation).await
    }

    pub async fn subscriptions(
        &self,
        op: OpContext,
        list: &List,
        request: &PageRequest,
    ) -> Result<Page<Subscription>, PageError> {
        let scope = list.scope(Listed::Subscription, request, "");
        let read = |item: &Item| read_subscription(item).map(|(subscription, _)| subscription);
        self.page(op, &scope, request, None, read).await
    }

    /// All customers.
    pub async fn tenants(&self, op: OpContext, request: &PageRequest) -> Result<Page<Tenant>, PageError> {
        let scope = List::Operator.scope(Listed::Tenant, request, "");
        self.page(op, &scope, request, None, read_tenant).await
    }

    /// All partners.
    pub async fn partners(&self, op: OpContext, request: &PageRequest) -> Result<Page<Partner>, PageError> {
        let scope = List::Operator.scope(Listed::Partner, request, "");
        self.page(op, &scope, request, None, read_partner).await
    }

    /// All access keys; with an owner, only the owner's.
    pub async fn access_keys(
        &self,
        op: OpContext,
        request: &PageRequest,
        owner: Option<Principal>,
    ) -> Result<Page<AccessKey>, PageError> {
        let scope = owner.map_or(List::Operator, List::KeysOf).scope(Listed::Key, request, "");
        self.page(op, &scope, request, None, read_access_key).await
    }

    /// An owner's webhook endpoints.
    pub async fn endpoints(
        &self,
        op: OpContext,
        list: &List,
        request: &PageRequest,
    ) -> Result<Page<Endpoint>, PageError> {
        let scope = list.scope(Listed::Endpoint, request, "");
        self.page(op, &scope, request, None, read_endpoint).await
    }

    /// The deliveries of an endpoint.
    pub async fn deliveries(
        &self,
        op: OpContext,
        endpoint: &EndpointId,
        request: &PageRequest,
    ) -> Result<Page<Delivery>, PageError> {
        let scope = List::Endpoint(endpoint.clone()).scope(Listed::Delivery, request, "");
        self.page(op, &scope, request, None, read_delivery).await
    }

    pub(super) async fn page<T>(
        &self,
        op: OpContext,
        scope: &Scope,
        request: &PageRequest,
        filter: Option<Filter>,
        read: impl Fn(&Item) -> Result<T, CorruptItem>,
    ) -> Result<Page<T>, PageError> {
        let mut list = ListQuery {
            from: scope.prefix.clone(),
            to: format!("{}~", scope.prefix),
            limit: request.limit,
            start: request.cursor.as_deref().map(|cursor| scope.decode(cursor)).transpose()?,
            ascending: false,
            filter,
        };
        let mut items = Vec::new();
        loop {
            let page = self.list_page(op, scope, &list).await?;
            for item in &page.items {
                items.extend(unless_newer(read(item))?);
            }
            // A page without rows helps no one, so the list is read on while there is time.
            list.start = page.next;
            if list.start.is_none() || !items.is_empty() || op.deadline.remaining() < TIME_TO_READ_ON {
                return Ok(Page { items, next_cursor: list.start.map(|next| scope.encode(&next)) });
            }
        }
    }
}

/// The filter for invitations in a state. The state `expired` is not stored: it follows from the current time.
fn state_filter(state: InvitationState, now: Timestamp) -> Filter {
    let (filter, answer) = match state {
        InvitationState::Pending => ("answer = :answer AND expires > :now", "pending"),
        InvitationState::Expired => ("answer = :answer AND expires <= :now", "pending"),
        other => ("answer = :answer", other.as_str()),
    };
    let mut values = HashMap::from([(":answer".to_owned(), text(answer))]);
    if filter.contains(":now") {
        values.insert(":now".to_owned(), number(now.millis()));
    }
    (filter.to_owned(), values)
}
