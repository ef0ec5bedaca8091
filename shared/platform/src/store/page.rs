//! Lists: each is one query of one partition, newest first; events can also be followed, oldest first.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::access_key::read_access_key;
use super::cursor::Scope;
use super::delivery::read_delivery;
use super::endpoint::read_endpoint;
use super::event::read_event;
use super::grant::read_grant;
use super::invitation::read_invitation;
use super::item::{CorruptItem, Item, number, text};
use super::keys::{self, Listed};
use super::partner::read_partner;
use super::read::{Index, PageQuery, Range};
use super::relationship::read_relationship;
use super::subscription::read_subscription;
use super::tenant::read_tenant;
use super::{OpContext, Store, StoreError};
use domain::{
    AccessKey, Cloud, Delivery, Endpoint, EndpointId, Event, Grant, Invitation, InvitationState, Partner, PartnerId,
    Relationship, Subscription, SubscriptionId, Tenant, TenantId, Timestamp,
};

/// Whose list it is.
#[derive(Clone, Debug)]
pub enum List {
    /// A partner's view.
    Partner(PartnerId),
    /// A customer's view.
    Customer(TenantId),
    /// An endpoint's deliveries.
    Endpoint(EndpointId),
    /// The operator's.
    Operator,
}

impl List {
    fn scope(&self, listed: Listed, request: &PageRequest, filter: &str) -> Scope {
        let (index, partition) = match self {
            Self::Partner(id) => (Index::PARTNER, keys::partner_view(id)),
            Self::Customer(id) => (Index::CUSTOMER, keys::customer_view(id)),
            Self::Endpoint(id) => (Index::PARTNER, keys::endpoint_view(id)),
            Self::Operator if listed == Listed::Event => (Index::EVENTS, keys::operator_view(listed)),
            Self::Operator => (Index::PARTNER, keys::operator_view(listed)),
        };
        let binding = format!("{} | {} | {filter}", request.caller, listed.prefix());
        Scope { index, partition, prefix: listed.prefix(), binding }
    }
}

/// Which page is asked for.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Items on the page at most.
    pub limit: usize,
    /// The cursor of the page before.
    pub cursor: Option<String>,
    /// Who asks; part of what a cursor is bound to.
    pub caller: String,
}

/// One page.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` at the end.
    pub next_cursor: Option<String>,
}

/// A page can't be had.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The cursor is cut, foreign, or from another list or filter.
    #[error("the cursor does not belong to this list")]
    Cursor,
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CorruptItem> for PageError {
    fn from(error: CorruptItem) -> Self {
        Self::Store(error.into())
    }
}

/// A filter expression and the values of its placeholders.
type Filter = (String, HashMap<String, AttributeValue>);

/// Rows are assembled of several items, so more than a page's worth is looked at.
const ITEMS_PER_RELATIONSHIP: usize = 4;

/// The youngest events are held back from whoever follows them: a write is never older than 4 s, clocks differ by up to
/// 2 s and the index lags by up to 3 s, so whatever is older than this has its place, and nothing will come before it.
const HOLD_BACK_MS: i64 = 10_000;

impl Store {
    /// Invitations, newest first; only those of a state, if one is given.
    ///
    /// # Errors
    /// [`PageError`], here and below.
    pub async fn invitations(
        &self,
        attempt: OpContext,
        list: &List,
        request: &PageRequest,
        state: Option<InvitationState>,
    ) -> Result<Page<Invitation>, PageError> {
        let filter = state.map(|state| state_filter(state, attempt.occurred_at));
        let scope = list.scope(Listed::Invitation, request, state.map(InvitationState::as_str).unwrap_or_default());
        self.page(attempt, &scope, request, Listed::Invitation, filter, read_invitation).await
    }

    /// Subscriptions, newest first.
    pub async fn subscriptions(
        &self,
        attempt: OpContext,
        list: &List,
        request: &PageRequest,
    ) -> Result<Page<Subscription>, PageError> {
        let scope = list.scope(Listed::Subscription, request, "");
        let read = |item: &Item| read_subscription(item).map(|(subscription, _)| subscription);
        self.page(attempt, &scope, request, Listed::Subscription, None, read).await
    }

    /// All customers, newest first.
    pub async fn tenants(&self, attempt: OpContext, request: &PageRequest) -> Result<Page<Tenant>, PageError> {
        let scope = List::Operator.scope(Listed::Tenant, request, "");
        self.page(attempt, &scope, request, Listed::Tenant, None, read_tenant).await
    }

    /// All partners, newest first.
    pub async fn partners(&self, attempt: OpContext, request: &PageRequest) -> Result<Page<Partner>, PageError> {
        let scope = List::Operator.scope(Listed::Partner, request, "");
        self.page(attempt, &scope, request, Listed::Partner, None, read_partner).await
    }

    /// All access keys, newest first.
    pub async fn access_keys(&self, attempt: OpContext, request: &PageRequest) -> Result<Page<AccessKey>, PageError> {
        let scope = List::Operator.scope(Listed::Key, request, "");
        self.page(attempt, &scope, request, Listed::Key, None, read_access_key).await
    }

    /// An owner's webhook endpoints, newest first.
    pub async fn endpoints(
        &self,
        attempt: OpContext,
        list: &List,
        request: &PageRequest,
    ) -> Result<Page<Endpoint>, PageError> {
        let scope = list.scope(Listed::Endpoint, request, "");
        self.page(attempt, &scope, request, Listed::Endpoint, None, read_endpoint).await
    }

    /// The messages to an endpoint, newest first.
    pub async fn deliveries(
        &self,
        attempt: OpContext,
        endpoint: &EndpointId,
        request: &PageRequest,
    ) -> Result<Page<Delivery>, PageError> {
        let scope = List::Endpoint(endpoint.clone()).scope(Listed::Delivery, request, "");
        self.page(attempt, &scope, request, Listed::Delivery, None, read_delivery).await
    }

    /// Events, newest first; only those about a subject, if one is given.
    pub async fn events(
        &self,
        attempt: OpContext,
        list: &List,
        request: &PageRequest,
        subject: Option<&str>,
    ) -> Result<Page<Event>, PageError> {
        let scope = list.scope(Listed::Event, request, &format!("subject {}", subject.unwrap_or_default()));
        self.page(
            attempt,
            &scope,
            request,
            Listed::Event,
            subject.and_then(|id| subject_filter(&scope, id)),
            read_event,
        )
        .await
    }

    /// Events after a cursor, oldest first, without the youngest. Unlike other lists it always says where to go on, as
    /// soon as there has been an event.
    pub async fn events_after(
        &self,
        attempt: OpContext,
        list: &List,
        request: &PageRequest,
        subject: Option<&str>,
    ) -> Result<Page<Event>, PageError> {
        let scope = list.scope(Listed::Event, request, &format!("after, subject {}", subject.unwrap_or_default()));
        let settled = Listed::Event.at(attempt.occurred_at.plus_millis(-HOLD_BACK_MS));
        let start = request.cursor.as_deref().map(|cursor| scope.decode(cursor)).transpose()?;
        // The clock that gave the cursor may be ahead of this one: then there is nothing new yet.
        if start.as_ref().is_some_and(|start| scope.entry(start) >= settled.as_str()) {
            return Ok(Page { items: Vec::new(), next_cursor: request.cursor.clone() });
        }
        let query = PageQuery {
            index: scope.index,
            partition: scope.partition.clone(),
            range: Range::Between(Listed::Event.prefix(), settled),
            limit: request.limit,
            start,
            ascending: true,
            consistent: false,
            filter: subject.and_then(|id| subject_filter(&scope, id)),
        };
        let page = self.query(attempt, &query).await?;
        let last = page.next.or_else(|| page.items.last().map(|item| scope.position_of(item)));
        let next_cursor = last.map(|position| scope.encode(&position)).or_else(|| request.cursor.clone());
        Ok(Page { items: page.items.iter().map(read_event).collect::<Result<_, _>>()?, next_cursor })
    }

    /// Relationships, newest first, each with the grants of its present or last period.
    pub async fn relationships(
        &self,
        attempt: OpContext,
        list: &List,
        request: &PageRequest,
    ) -> Result<Page<(Relationship, Vec<Grant>)>, PageError> {
        let scope = list.scope(Listed::Relationship, request, "");
        let mut query = PageQuery {
            index: scope.index,
            partition: scope.partition.clone(),
            range: Range::Prefix(Listed::Relationship.prefix()),
            limit: request.limit * ITEMS_PER_RELATIONSHIP,
            start: request.cursor.as_deref().map(|cursor| scope.decode(cursor)).transpose()?,
            ascending: false,
            consistent: false,
            filter: None,
        };
        let mut rows = Rows::default();
        loop {
            let page = self.query(attempt, &query).await?;
            let left = rows.take(&page.items, request.limit)?;
            let whole = left == 0 && page.next.is_none();
            if whole || rows.done.len() == request.limit || (page.next.is_some() && !rows.done.is_empty()) {
                // A short page beats a second query, as soon as there is a row to show.
                let end = rows.end.filter(|_| !whole).map(|item| scope.encode(&scope.position_of(&item)));
                return Ok(Page { items: rows.done, next_cursor: end });
            }
            query.start = page.next;
        }
    }

    async fn page<T>(
        &self,
        attempt: OpContext,
        scope: &Scope,
        request: &PageRequest,
        listed: Listed,
        filter: Option<Filter>,
        read: impl Fn(&Item) -> Result<T, CorruptItem>,
    ) -> Result<Page<T>, PageError> {
        let query = PageQuery {
            index: scope.index,
            partition: scope.partition.clone(),
            range: Range::Prefix(listed.prefix()),
            limit: request.limit,
            start: request.cursor.as_deref().map(|cursor| scope.decode(cursor)).transpose()?,
            ascending: false,
            consistent: false,
            filter,
        };
        let page = self.query(attempt, &query).await?;
        let items = page.items.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor: page.next.map(|next| scope.encode(&next)) })
    }
}

/// Rows of a list of relationships as they are assembled. Newest first, a relationship's grants come before it, so a row
/// is done once its relationship is read.
#[derive(Default)]
struct Rows {
    done: Vec<(Relationship, Vec<Grant>)>,
    end: Option<Item>,
    grants: Vec<Grant>,
}

impl Rows {
    /// Takes items until there are `most` rows; the number of items that are left.
    fn take(&mut self, items: &[Item], most: usize) -> Result<usize, CorruptItem> {
        for (at, item) in items.iter().enumerate() {
            if item.get(keys::SK).and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk.contains("#GRANT#")) {
                self.grants.push(read_grant(item)?);
                continue;
            }
            let relationship = read_relationship(item)?;
            let period = relationship.period.as_ref().map(|(id, _)| id);
            let mut grants = std::mem::take(&mut self.grants);
            grants.retain(|grant| grant.partner_id == relationship.partner_id && Some(&grant.period) == period);
            self.done.push((relationship, grants));
            self.end = Some(item.clone());
            if self.done.len() == most {
                return Ok(items.len() - at - 1);
            }
        }
        Ok(0)
    }
}

/// The filter by which the table finds invitations of a state; `expired` is computed here as everywhere.
fn state_filter(state: InvitationState, now: Timestamp) -> Filter {
    let (filter, word) = match state {
        InvitationState::Pending => ("answer = :answer AND expires > :now", "pending"),
        InvitationState::Expired => ("answer = :answer AND expires <= :now", "pending"),
        other => ("answer = :answer", other.as_str()),
    };
    let mut values = HashMap::from([(":answer".to_owned(), text(word))]);
    if filter.contains(":now") {
        values.insert(":now".to_owned(), number(now.millis()));
    }
    (filter.to_owned(), values)
}

/// The filter by which the table finds events about one id, of whatever kind. The key of the index that is walked can't be
/// part of a filter, and need not: whoever's list it is, all of it is about them.
fn subject_filter(scope: &Scope, id: &str) -> Option<Filter> {
    let views =
        [(keys::GSI1_PK, ":partner", format!("PARTNER#{id}")), (keys::GSI2_PK, ":customer", format!("CUSTOMER#{id}"))];
    if views.iter().any(|(_, _, view)| *view == scope.partition) {
        return None;
    }
    let mut filter = "invitation = :id OR grant_id = :id OR key_id = :id OR endpoint = :id".to_owned();
    let mut values = HashMap::from([(":id".to_owned(), text(id))]);
    // A subscription is known without case, and only with its cloud: by the events' own key.
    for (cloud, id) in Cloud::ALL.iter().filter_map(|cloud| Some((*cloud, SubscriptionId::parse(id)?))) {
        let placeholder = format!(":{cloud}");
        filter.push_str(&format!(" OR pk = {placeholder}"));
        values.insert(placeholder, text(keys::subscription_events(cloud, &id)));
    }
    for (attribute, placeholder, view) in views.into_iter().filter(|(attribute, ..)| *attribute != scope.index.pk) {
        filter.push_str(&format!(" OR {attribute} = {placeholder}"));
        values.insert(placeholder.to_owned(), text(view));
    }
    Some((filter, values))
}
