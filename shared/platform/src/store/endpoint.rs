//! Webhook endpoints. A list per owner holds the ids and URLs, so that no owner has too many endpoints or two with the same
//! URL. A deleted endpoint keeps its item, with its chain of events, but leaves the lists.

use aws_sdk_dynamodb::types::AttributeValue;

use super::chain::NextEvent;
use super::endpoint_list::{holds, list_endpoint, listed_ids, relist};
use super::error::StoreError;
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, number, text};
use super::keys::{self, Key, Listed};
use super::op_context::OpContext;
use super::secrets::{SECRETS, read_secrets, secrets_value};
use super::table::Store;
use super::write::Write;
use domain::{Endpoint, EndpointId, EndpointState, Event, EventType, Owner};

/// The result of creating an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub enum EndpointCreated {
    New,
    /// The idempotency key was used before, for this endpoint.
    AlreadyExists(Box<Endpoint>),
    /// The owner has the maximum number of endpoints.
    LimitReached,
    /// The owner has an endpoint with this URL.
    UrlTaken,
}

/// The result of changing an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointChange {
    Done,
    /// The endpoint has changed since it was read.
    Changed,
    /// The owner has another endpoint with the new URL.
    UrlTaken,
}

impl Store {
    /// An endpoint, read now. It may be deleted.
    ///
    /// # Errors
    /// [`StoreError`], in all methods here.
    pub async fn endpoint(
        &self,
        op: OpContext,
        owner: &Owner,
        id: &EndpointId,
    ) -> Result<Option<Endpoint>, StoreError> {
        let item = self.get(op, &keys::endpoint(owner, id)).await?;
        Ok(item.as_ref().map(read_endpoint).transpose()?)
    }

    /// All endpoints of an owner, read now, in no order. Every endpoint that was created before this call is included. Those
    /// that cannot be read are returned separately.
    pub async fn endpoints_of(
        &self,
        op: OpContext,
        owner: &Owner,
    ) -> Result<(Vec<Endpoint>, Vec<CorruptItem>), StoreError> {
        let Some(list) = self.get(op, &keys::endpoint_list(owner)).await? else { return Ok(Default::default()) };
        let keys: Vec<Key> = listed_ids(&list).map(|id| keys::endpoint(owner, &id)).collect();
        let items = self.get_many(op, &keys, true).await?;
        let (mut endpoints, mut unreadable) = (Vec::new(), Vec::new());
        for item in items.iter().flatten() {
            match read_endpoint(item) {
                Ok(endpoint) => endpoints.push(endpoint),
                Err(fault) => unreadable.push(fault),
            }
        }
        Ok((endpoints, unreadable))
    }

    /// Creates an endpoint, unless its owner has `most` already.
    pub async fn create_endpoint(
        &self,
        op: OpContext,
        endpoint: &Endpoint,
        event: &Event,
        most: usize,
    ) -> Result<EndpointCreated, StoreError> {
        let next = NextEvent::first(event);
        let endpoint = Endpoint { chain: next.chain, ..endpoint.clone() };
        let own = keys::endpoint(&endpoint.owner, &endpoint.endpoint_id);
        let list = keys::endpoint_list(&endpoint.owner);
        let writes = [Write::create(endpoint_item(&endpoint)), list_endpoint(&endpoint, most), next.put()];
        let outcome = self.transact(op, &writes).await?;
        if outcome.is_committed() {
            return Ok(EndpointCreated::New);
        }
        let existing = match outcome.conflicting(&own) {
            Some(existing) => Some(read_endpoint(existing)?),
            // The same request may have been committed meanwhile.
            None => self.endpoint(op, &endpoint.owner, &endpoint.endpoint_id).await?,
        };
        if let Some(existing) = existing {
            return Ok(EndpointCreated::AlreadyExists(Box::new(existing)));
        }
        match outcome.refusal(&list) {
            Some(refusal) if refusal.item.as_ref().is_some_and(|list| holds(list, &endpoint.url)) => {
                Ok(EndpointCreated::UrlTaken)
            }
            Some(_) => Ok(EndpointCreated::LimitReached),
            None => Err(StoreError::Contention),
        }
    }

    /// Changes an endpoint to `after`. If that is deleted, it leaves its owner's list.
    pub async fn change_endpoint(
        &self,
        op: OpContext,
        before: &Endpoint,
        after: &Endpoint,
        event: &Event,
    ) -> Result<EndpointChange, StoreError> {
        let next = NextEvent::after(&before.chain, event);
        let (own, list) = (keys::endpoint(&before.owner, &before.endpoint_id), keys::endpoint_list(&before.owner));
        let mut writes = vec![change_item(own.clone(), before, after, &next)];
        writes.extend(relist(before, after));
        writes.push(next.put());
        let outcome = self.transact(op, &writes).await?;
        let is_done = outcome.is_committed() || outcome.conflicting(&own).is_some_and(|item| next.is_end_of(item));
        let is_taken = outcome.conflicting(&list).is_some_and(|list| holds(list, &after.url));
        Ok(if is_done {
            EndpointChange::Done
        } else if outcome.refusal(&own).is_none() && is_taken {
            EndpointChange::UrlTaken
        } else {
            EndpointChange::Changed
        })
    }
}

fn change_item(key: Key, before: &Endpoint, after: &Endpoint, next: &NextEvent<'_>) -> Write {
    let mut write = Write::change(key, next)
        .set("#url = :url, endpoint_state = :state, pending_since = :pending_since, secrets = :secrets")
        .name("#url", "url")
        .text(":url", &after.url)
        .text(":state", after.state.as_str())
        .value(":pending_since", number(after.pending_since.millis()))
        .value(":secrets", secrets_value(&after.secrets))
        .set_or_remove("event_types", ":types", after.event_types.as_deref().map(types_value))
        .set_or_remove("description", ":description", after.description.clone().map(text));
    if after.failing_since.is_none() {
        write = write.remove("failing");
    }
    if after.state == EndpointState::Deleted {
        write = write.remove(view_of(&after.owner).0).remove(keys::LISTED);
    }
    // An endpoint that is disabled for failing must not have succeeded since it was read.
    match before.failing_since.filter(|_| after.state == EndpointState::Disabled) {
        Some(since) => write.and("failing = :failing").value(":failing", number(since.millis())),
        None => write,
    }
}

/// Index attribute and partition of an owner's list of endpoints.
fn view_of(owner: &Owner) -> (&'static str, String) {
    match owner {
        Owner::Partner(id) => (keys::GSI1_PK, keys::partner_view(id)),
        Owner::Customer(id) => (keys::GSI2_PK, keys::customer_view(id)),
    }
}

fn types_value(types: &[EventType]) -> AttributeValue {
    AttributeValue::L(types.iter().map(|event_type| text(event_type.as_str())).collect())
}

fn endpoint_item(endpoint: &Endpoint) -> Item {
    let (index, partition) = view_of(&endpoint.owner);
    let item = ItemBuilder::new(keys::endpoint(&endpoint.owner, &endpoint.endpoint_id))
        .text("owner", endpoint.owner.kind().as_str())
        .text("owner_id", endpoint.owner.id())
        .text("url", &endpoint.url)
        .maybe_text("description", endpoint.description.as_deref())
        .text("endpoint_state", endpoint.state.as_str())
        .with(SECRETS, secrets_value(&endpoint.secrets))
        .hash("fingerprint", &endpoint.fingerprint)
        .time("created", endpoint.created_at)
        .time("pending_since", endpoint.pending_since)
        .chain(endpoint.chain)
        .text(index, partition)
        .text(keys::LISTED, Listed::Endpoint.at(endpoint.created_at));
    match &endpoint.event_types {
        Some(types) => item.with("event_types", types_value(types)).build(),
        None => item.build(),
    }
}

pub(super) fn read_endpoint(item: &Item) -> Result<Endpoint, CorruptItem> {
    let reader = ItemReader::new(item)?;
    Ok(Endpoint {
        endpoint_id: reader.parsed(keys::SK, keys::parse_endpoint)?,
        owner: read_owner(&reader)?,
        url: reader.text("url")?.to_owned(),
        event_types: reader.maybe_list("event_types", |name| EventType::parse(name.as_s().ok()?))?,
        description: reader.maybe_text("description")?.map(str::to_owned),
        state: reader.parsed("endpoint_state", EndpointState::parse)?,
        secrets: read_secrets(&reader)?,
        fingerprint: reader.hash("fingerprint")?,
        pending_since: reader.time("pending_since")?,
        failing_since: reader.maybe_time("failing")?,
        created_at: reader.time("created")?,
        chain: reader.chain()?,
    })
}

/// The owner of an endpoint or a delivery.
pub(super) fn read_owner(reader: &ItemReader<'_>) -> Result<Owner, CorruptItem> {
    let owner = Owner::parse(reader.text("owner")?, reader.text("owner_id")?);
    owner.ok_or_else(|| reader.corrupt("owner", "is malformed"))
}
