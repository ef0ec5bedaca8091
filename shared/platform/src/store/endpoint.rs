//! Webhook endpoints. An owner's list knows which there are and at which addresses, so that there are neither too many nor
//! two of one address. What is deleted stays, unlisted, at the end of its chain of events.

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::HEXLOWER;

use super::change::UNCHANGED;
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, bytes, number, text};
use super::keys::{self, Key, Listed};
use super::secrets::{SECRETS, read_secrets, secrets_value};
use super::transact::{Outcome, Refusal};
use super::write::Write;
use super::{OpContext, SCHEMA, Store, StoreError, event};
use domain::{Chain, Endpoint, EndpointId, EndpointState, Event, EventType, Owner, digest};

/// What became of an endpoint that should be created.
#[derive(Clone, Debug, PartialEq)]
pub enum EndpointCreated {
    /// It is new.
    New,
    /// It was created before, by the same idempotency key.
    Before(Box<Endpoint>),
    /// The owner has as many as may be.
    TooMany,
    /// The owner has one at this address.
    UrlTaken,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointChange {
    /// It is done.
    Done,
    /// The endpoint changed meanwhile; look again.
    Changed,
    /// The owner has another one at the new address.
    UrlTaken,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Endpoint,
    List,
    Event,
}

impl Store {
    /// An endpoint, as it is now, deleted ones included.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub async fn endpoint(
        &self,
        attempt: OpContext,
        owner: &Owner,
        id: &EndpointId,
    ) -> Result<Option<Endpoint>, StoreError> {
        let item = self.get(attempt, &keys::endpoint(owner, id)).await?;
        Ok(item.as_ref().map(read_endpoint).transpose()?)
    }

    /// All endpoints of an owner, as they are now, in no order. None is missing that was created before this call; those
    /// that can't be read stand apart.
    pub async fn endpoints_of(
        &self,
        attempt: OpContext,
        owner: &Owner,
    ) -> Result<(Vec<Endpoint>, Vec<CorruptItem>), StoreError> {
        let Some(list) = self.get(attempt, &keys::endpoint_list(owner)).await? else { return Ok(Default::default()) };
        let ids = list.iter().filter(|(name, _)| name.starts_with(URL)).filter_map(|(_, id)| id.as_s().ok());
        let ids = ids.filter_map(|id| EndpointId::parse(id));
        let keys: Vec<Key> = ids.map(|id| keys::endpoint(owner, &id)).collect();
        let items = self.get_many(attempt, &keys, true).await?;
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
        attempt: OpContext,
        endpoint: &Endpoint,
        event: &Event,
        most: usize,
    ) -> Result<EndpointCreated, StoreError> {
        let endpoint = Endpoint { chain: event.chain_after(&[0; 32]), ..endpoint.clone() };
        let list = Write::update(
            keys::endpoint_list(&endpoint.owner),
            "SET v = :schema, #url = :id, live = if_not_exists(live, :zero) + :one",
            "attribute_not_exists(#url) AND (attribute_not_exists(live) OR live < :most)",
        )
        .name("#url", url_attribute(&endpoint.url))
        .text(":id", endpoint.endpoint_id.as_str())
        .value(":schema", number(SCHEMA))
        .value(":zero", number(0))
        .value(":one", number(1))
        .value(":most", number(most));
        let writes = [
            (Part::Endpoint, Write::create(endpoint_item(&endpoint))),
            (Part::List, list),
            (Part::Event, event::write(event, &endpoint.chain)),
        ];
        let Outcome::Refused(refused) = self.transact(attempt, &writes).await? else {
            return Ok(EndpointCreated::New);
        };
        let before = refused.iter().find(|refusal| refusal.write == Part::Endpoint);
        let before = match before.and_then(|refusal| refusal.item.as_ref()) {
            Some(before) => Some(read_endpoint(before)?),
            // A twin may have been written between the guards.
            None => self.endpoint(attempt, &endpoint.owner, &endpoint.endpoint_id).await?,
        };
        Ok(match before {
            Some(before) => EndpointCreated::Before(Box::new(before)),
            None if holds(&refused, &endpoint.url) => EndpointCreated::UrlTaken,
            None if refused.iter().any(|refusal| refusal.write == Part::List) => EndpointCreated::TooMany,
            None => return Err(StoreError::Contention),
        })
    }

    /// Changes an endpoint to `after`, with its event. One that is deleted leaves the list.
    pub async fn change_endpoint(
        &self,
        attempt: OpContext,
        before: &Endpoint,
        after: &Endpoint,
        event: &Event,
    ) -> Result<EndpointChange, StoreError> {
        let chain = event.chain_after(&before.chain.hash);
        let key = keys::endpoint(&before.owner, &before.endpoint_id);
        let mut writes = vec![(Part::Endpoint, changing(key.clone(), before, after, &chain))];
        writes.extend(relisting(before, after).map(|write| (Part::List, write)));
        writes.push((Part::Event, event::write(event, &chain)));
        let Outcome::Refused(refused) = self.transact(attempt, &writes).await? else {
            return Ok(EndpointChange::Done);
        };
        // An earlier attempt of this very change, whose answer was lost, may be what stands in the way.
        let own = |item: &Item| item.get("event_hash") == Some(&bytes(&chain.hash));
        if refused.iter().any(|refusal| refusal.write == Part::Endpoint && refusal.item.as_ref().is_some_and(own)) {
            return Ok(EndpointChange::Done);
        }
        let moved = refused.iter().any(|refusal| refusal.write == Part::Endpoint);
        Ok(if !moved && holds(&refused, &after.url) { EndpointChange::UrlTaken } else { EndpointChange::Changed })
    }
}

/// What every attribute of the list begins with that holds the id of the endpoint at an address.
const URL: &str = "url_";

/// The attribute of an address.
fn url_attribute(url: &str) -> String {
    format!("{URL}{}", HEXLOWER.encode(&digest("endpoint url", &[url.as_bytes()])[..16]))
}

/// Whether the list refused and holds this address.
fn holds(refused: &[Refusal<Part>], url: &str) -> bool {
    let list = refused.iter().find(|refusal| refusal.write == Part::List).and_then(|refusal| refusal.item.as_ref());
    list.is_some_and(|list| list.contains_key(&url_attribute(url)))
}

/// What a change does to the owner's list: the endpoint leaves it, or gets another address.
fn relisting(before: &Endpoint, after: &Endpoint) -> Option<Write> {
    let list = keys::endpoint_list(&before.owner);
    if after.state == EndpointState::Deleted {
        let write = Write::update(list, "SET live = live - :one REMOVE #old", "#old = :id");
        let write = write.name("#old", url_attribute(&before.url)).value(":one", number(1));
        return Some(write.text(":id", before.endpoint_id.as_str()));
    }
    (after.url != before.url).then(|| {
        let write = Write::update(list, "SET #new = :id REMOVE #old", "attribute_not_exists(#new) AND #old = :id");
        let write = write.name("#old", url_attribute(&before.url)).name("#new", url_attribute(&after.url));
        write.text(":id", before.endpoint_id.as_str())
    })
}

fn changing(key: Key, before: &Endpoint, after: &Endpoint, chain: &Chain) -> Write {
    let mut set = vec![
        "#url = :url",
        "endpoint_state = :state",
        "pending_since = :pending_since",
        "secrets = :secrets",
        "event_seq = :sequence",
        "event_hash = :hash",
    ];
    let mut remove = Vec::new();
    let mut values = vec![
        (":url", text(&after.url)),
        (":pending_since", number(after.pending_since.millis())),
        (":state", text(after.state.as_str())),
        (":secrets", secrets_value(&after.secrets)),
        (":sequence", number(chain.sequence)),
        (":hash", bytes(&chain.hash)),
        (":before", number(before.chain.sequence)),
    ];
    let mut put = |name, assignment, placeholder, value: Option<AttributeValue>| match value {
        Some(value) => {
            set.push(assignment);
            values.push((placeholder, value));
        }
        None => remove.push(name),
    };
    put("event_types", "event_types = :types", ":types", after.event_types.as_deref().map(types_value));
    put("description", "description = :description", ":description", after.description.clone().map(text));
    if after.failing_since.is_none() {
        remove.push("failing");
    }
    if after.state == EndpointState::Deleted {
        remove.extend([view_of(&after.owner).0, keys::LISTED]);
    }
    let remove = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
    // Whoever switches off what kept failing must not meet a success on the way.
    let guard = match before.failing_since.filter(|_| after.state == EndpointState::Disabled) {
        Some(since) => {
            values.push((":failing", number(since.millis())));
            format!("{UNCHANGED} AND failing = :failing")
        }
        None => UNCHANGED.to_owned(),
    };
    let write = Write::update(key, &format!("SET {}{remove}", set.join(", ")), &guard);
    let write = write.name("#url", "url");
    values.into_iter().fold(write, |write, (placeholder, value)| write.value(placeholder, value))
}

/// Index and partition in which an owner finds its endpoints.
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

/// Reads an endpoint's item.
pub(super) fn read_endpoint(item: &Item) -> Result<Endpoint, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let owner = Owner::parse(reader.text("owner")?, reader.text("owner_id")?);
    let read_type = |value: &AttributeValue| value.as_s().ok().and_then(|name| EventType::parse(name));
    let types = reader.get("event_types").map(|value| {
        let types = value.as_l().ok().and_then(|list| list.iter().map(read_type).collect::<Option<Vec<_>>>());
        types.ok_or_else(|| reader.corrupt("event_types", "is malformed"))
    });
    Ok(Endpoint {
        endpoint_id: reader.parsed(keys::SK, |sk| EndpointId::parse(sk.strip_prefix("ENDPOINT#")?))?,
        owner: owner.ok_or_else(|| reader.corrupt("owner", "is malformed"))?,
        url: reader.text("url")?.to_owned(),
        event_types: types.transpose()?,
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
