//! Webhook endpoints. A list per owner holds the ids and URLs, so that no owner has too many endpoints or two with the same
//! URL. A deleted endpoint keeps its item, with its chain of events, but leaves the lists.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use super::endpoint_list::{challenges, holds, is_moved, list_endpoint, listed_ids, live, relist};
use super::error::StoreError;
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, number, text};
use super::keys::{self, Key, Listed};
use super::op_context::OpContext;
use super::partner::read_partner;
use super::secrets::{SECRETS, read_secrets, secrets_value};
use super::table::Store;
use super::uses::{count_use, read_uses};
use super::write::Write;
use domain::{Endpoint, EndpointId, EndpointState, Event, EventType, Failing, Owner, Recipient, Use};

/// The number of an owner's endpoints, and the challenges that it may cause in an hour.
#[derive(Clone, Copy, Debug)]
pub struct EndpointLimits {
    pub endpoints: usize,
    pub challenges_per_hour: u32,
}

const HOUR: Duration = Duration::from_hours(1);
const RESENDS: &str = "resends";

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
    /// The owner caused the maximum number of challenges. There is room after this time.
    RateLimited(Duration),
    /// The owner's list has changed since it was read.
    Changed,
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

    /// Creates an endpoint within its owner's limits. The challenge that follows is counted.
    pub async fn create_endpoint(
        &self,
        op: OpContext,
        endpoint: &Endpoint,
        event: &Event,
        limits: EndpointLimits,
    ) -> Result<EndpointCreated, StoreError> {
        let own = keys::endpoint(&endpoint.owner, &endpoint.endpoint_id);
        let found = self.get_many(op, &[own.clone(), keys::endpoint_list(&endpoint.owner)], true).await?;
        let [existing, list] = [0, 1].map(|at| found.get(at).and_then(Option::as_ref));
        if let Some(existing) = existing {
            return Ok(EndpointCreated::AlreadyExists(Box::new(read_endpoint(existing)?)));
        }
        if list.is_some_and(|list| holds(list, &endpoint.url)) {
            return Ok(EndpointCreated::UrlTaken);
        }
        if list.map(live).transpose()?.unwrap_or_default() >= limits.endpoints {
            return Ok(EndpointCreated::LimitReached);
        }
        let uses = list.map(challenges).transpose()?.unwrap_or_default();
        let challenge = match uses.another(op.occurred_at, HOUR, limits.challenges_per_hour) {
            Ok(challenge) => challenge,
            Err(wait) => return Ok(EndpointCreated::RateLimited(wait)),
        };
        let listed = list_endpoint(endpoint, limits.endpoints, &challenge);
        let recorded = self.begin(event, endpoint_item(endpoint))?;
        let outcome = self.transact(op, &[recorded.record, listed, recorded.event]).await?;
        if outcome.is_committed() {
            return Ok(EndpointCreated::New);
        }
        match outcome.conflicting(&own) {
            Some(existing) => Ok(EndpointCreated::AlreadyExists(Box::new(read_endpoint(existing)?))),
            None => Ok(EndpointCreated::Changed),
        }
    }

    /// One more challenge that the owner causes.
    ///
    /// # Errors
    /// The inner error is the time until there is room.
    pub async fn another_challenge(
        &self,
        op: OpContext,
        owner: &Owner,
        per_hour: u32,
    ) -> Result<Result<Use, Duration>, StoreError> {
        let list = self.get(op, &keys::endpoint_list(owner)).await?;
        let uses = list.as_ref().map(challenges).transpose()?.unwrap_or_default();
        Ok(uses.another(op.occurred_at, HOUR, per_hour))
    }

    /// Counts a resend. Returns `false` if there was another one meanwhile.
    pub async fn count_resend(&self, op: OpContext, endpoint: &Endpoint, resend: &Use) -> Result<bool, StoreError> {
        let write = Write::update(keys::endpoint(&endpoint.owner, &endpoint.endpoint_id), "attribute_exists(pk)");
        Ok(self.transact(op, &[count_use(write, RESENDS, resend)]).await?.is_committed())
    }

    /// An endpoint and the partner that owns it, read now.
    pub async fn recipient(
        &self,
        op: OpContext,
        owner: &Owner,
        id: &EndpointId,
    ) -> Result<Option<Recipient>, StoreError> {
        let keys = recipient_keys(owner, id);
        Ok(read_recipient(&self.get_many(op, &keys, true).await?)?)
    }

    /// Changes an endpoint to `after`. If that is deleted, it leaves its owner's list. A `challenge` that follows is counted.
    pub async fn change_endpoint(
        &self,
        op: OpContext,
        before: &Endpoint,
        after: &Endpoint,
        event: &Event,
        challenge: Option<&Use>,
    ) -> Result<EndpointChange, StoreError> {
        let (own, list) = (keys::endpoint(&before.owner, &before.endpoint_id), keys::endpoint_list(&before.owner));
        let recorded = self.record(&before.chain, event, change_item(own.clone(), before, after))?;
        let mut writes = vec![recorded.record.clone()];
        writes.extend(relist(before, after, challenge));
        writes.push(recorded.event.clone());
        let outcome = self.transact(op, &writes).await?;
        let is_done = outcome.is_committed() || outcome.conflicting(&own).is_some_and(|item| recorded.is_end_of(item));
        let is_taken =
            is_moved(before, after) && outcome.conflicting(&list).is_some_and(|list| holds(list, &after.url));
        Ok(if is_done {
            EndpointChange::Done
        } else if outcome.refusal(&own).is_none() && is_taken {
            EndpointChange::UrlTaken
        } else {
            EndpointChange::Changed
        })
    }
}

fn change_item(key: Key, before: &Endpoint, after: &Endpoint) -> Write {
    let mut write = Write::change(key, &before.chain)
        .set("#url = :url, endpoint_state = :state, secrets = :secrets")
        .set("pending_since = :pending_since, period = :period")
        .name("#url", "url")
        .text(":url", &after.url)
        .text(":state", after.state.as_str())
        .value(":pending_since", number(after.pending_since.millis()))
        .value(":period", number(after.period))
        .value(":secrets", secrets_value(&after.secrets))
        .set_or_remove("event_types", ":types", after.event_types.as_deref().map(types_value))
        .set_or_remove("description", ":description", after.description.clone().map(text));
    if after.failing.is_none() {
        write = write.remove("failing, failed");
    }
    if after.state == EndpointState::Deleted {
        write = write.remove(view_of(&after.owner).0).remove(keys::LISTED);
    }
    // An endpoint that is disabled for failing must not have succeeded since it was read.
    match before.failing.filter(|_| after.state == EndpointState::Disabled) {
        Some(failing) => write.and("failing = :failing").value(":failing", number(failing.since.millis())),
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
        .number("period", endpoint.period)
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
        event_types: read_event_types(&reader)?,
        description: reader.maybe_text("description")?.map(str::to_owned),
        state: reader.parsed("endpoint_state", EndpointState::parse)?,
        secrets: read_secrets(&reader)?,
        fingerprint: reader.hash("fingerprint")?,
        pending_since: reader.time("pending_since")?,
        period: reader.number("period")?,
        failing: read_failing(&reader)?,
        resends: read_uses(&reader, RESENDS)?,
        created_at: reader.time("created")?,
        chain: reader.chain()?,
    })
}

fn read_failing(reader: &ItemReader<'_>) -> Result<Option<Failing>, CorruptItem> {
    let times = reader.maybe_time("failing")?.zip(reader.maybe_time("failed")?);
    Ok(times.map(|(since, last)| Failing { since, last }))
}

/// The keys of an endpoint and of the partner that owns it.
pub(super) fn recipient_keys(owner: &Owner, id: &EndpointId) -> Vec<Key> {
    let endpoint = keys::endpoint(owner, id);
    match owner {
        Owner::Partner(partner) => vec![endpoint, keys::partner(partner)],
        Owner::Customer(_) => vec![endpoint],
    }
}

/// `None` if there is no endpoint. The items are those of [`recipient_keys`].
pub(super) fn read_recipient(items: &[Option<Item>]) -> Result<Option<Recipient>, CorruptItem> {
    let at = |index: usize| items.get(index).and_then(Option::as_ref);
    let Some(endpoint) = at(0) else { return Ok(None) };
    Ok(Some(Recipient { endpoint: read_endpoint(endpoint)?, partner: at(1).map(read_partner).transpose()? }))
}

/// A filter with a type that only newer code knows must not be applied, and not be written back without this type.
fn read_event_types(reader: &ItemReader<'_>) -> Result<Option<Vec<EventType>>, CorruptItem> {
    let Some(names) = reader.maybe_list("event_types", |name| name.as_s().ok().cloned())? else { return Ok(None) };
    let types = names.iter().map(|name| EventType::parse(name)).collect::<Option<Vec<_>>>();
    types.map(Some).ok_or_else(|| reader.newer("event_types", "has a type of newer code"))
}

/// The owner of an endpoint or a delivery.
pub(super) fn read_owner(reader: &ItemReader<'_>) -> Result<Owner, CorruptItem> {
    let owner = Owner::parse(reader.text("owner")?, reader.text("owner_id")?);
    owner.ok_or_else(|| reader.corrupt("owner", "is malformed"))
}
