//! How an event's item is written and read. It is written with the change it describes, and never changes or expires.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value};

use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, bytes};
use super::keys::{self, Listed};
use domain::{
    Actor, ActorKind, Approver, EndpointId, Event, EventType, GrantId, InvitationId, KeyId, PersonId, Proof, Role,
    StateDigest, StateDigests, StoredType, Subject, SubscriptionId,
};

/// The digests of the state in which the event leaves its record.
const STATE: &str = "state";
const CREATED: &str = "creates";
const TEXTS: &str = "texts";
/// The person who signed in. Its role is in the event's data.
const PERSON: &str = "person";

/// Ids that are part of a key are not stored a second time.
pub(super) fn event_item(event: &Event, hash: &[u8; 32]) -> ItemBuilder {
    let subject = &event.subject;
    ItemBuilder::new(keys::event(event.event_type.aggregate(), &event.aggregate_id, event.sequence))
        .text("event_type", event.event_type.as_str())
        .time("occurred", event.occurred_at)
        .text("actor", actor_text(&event.actor))
        .maybe_text(PERSON, event.actor.approver.as_ref().map(|approver| approver.person.as_str()))
        .number("policy", event.policy_version)
        .text("event_data", Value::Object(event.data.clone()).to_string())
        .hash("event_hash", hash)
        .with(STATE, bytes(&event.state.record))
        .maybe(CREATED, event.state.created.map(|created| bytes(&created)))
        .maybe(TEXTS, texts_value(&event.state))
        .maybe_text("invitation", subject.invitation_id.as_ref().map(InvitationId::as_str))
        .maybe_text("grant_id", subject.grant_id.as_ref().map(GrantId::as_str))
        .maybe_text("subscription", subject.subscription_id.as_ref().map(SubscriptionId::as_str))
        .maybe_text("key_id", subject.key_id.as_ref().map(KeyId::as_str))
        .maybe_text("endpoint", subject.endpoint_id.as_ref().map(EndpointId::as_str))
        .maybe_text(keys::GSI1_PK, subject.partner_id.as_ref().map(keys::partner_view))
        .maybe_text(keys::GSI2_PK, subject.customer_tenant_id.as_ref().map(keys::customer_view))
        .text(keys::GSI4_PK, keys::operator_view(Listed::Event, &event.aggregate_id))
        .text(keys::LISTED, Listed::Event.at(event.occurred_at))
}

/// An event whose type this code knows.
pub(super) fn read_event(item: &Item) -> Result<Event, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let event_type = EventType::parse(reader.text("event_type")?);
    let event_type = event_type.ok_or_else(|| reader.newer("event_type", "is a type of newer code"))?;
    let (aggregate_id, sequence) = reader.key(|key| keys::parse_event(event_type.aggregate(), key))?;
    read_rest(&reader, event_type, aggregate_id, sequence)
}

/// An event as it is stored, of any type. Lists show an event without interpreting its type and data.
pub(super) fn read_stored_event(item: &Item) -> Result<Event<StoredType>, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let (aggregate, aggregate_id, sequence) = reader.key(keys::parse_any_event)?;
    let event_type = StoredType { name: reader.text("event_type")?.to_owned(), aggregate };
    let is_unknown = EventType::parse(&event_type.name).is_none();
    // Words that this code does not know are those of newer code, if the type is.
    read_rest(&reader, event_type, aggregate_id, sequence)
        .map_err(|item| CorruptItem { is_newer: item.is_newer || is_unknown, ..item })
}

fn read_rest<T>(
    reader: &ItemReader<'_>,
    event_type: T,
    aggregate_id: String,
    sequence: u64,
) -> Result<Event<T>, CorruptItem> {
    let data = reader.parsed("event_data", |json| serde_json::from_str(json).ok())?;
    let approver = read_approver(reader, &data)?;
    Ok(Event {
        event_type,
        aggregate_id,
        sequence,
        occurred_at: reader.time("occurred")?,
        subject: Subject {
            invitation_id: reader.maybe_parsed("invitation", InvitationId::parse)?,
            grant_id: reader.maybe_parsed("grant_id", GrantId::parse)?,
            subscription_id: reader.maybe_parsed("subscription", SubscriptionId::parse)?,
            key_id: reader.maybe_parsed("key_id", KeyId::parse)?,
            endpoint_id: reader.maybe_parsed("endpoint", EndpointId::parse)?,
            partner_id: reader.maybe_parsed(keys::GSI1_PK, keys::parse_partner_view)?,
            customer_tenant_id: reader.maybe_parsed(keys::GSI2_PK, keys::parse_customer_view)?,
        },
        actor: Actor { approver, ..reader.parsed("actor", read_actor)? },
        policy_version: reader.number("policy")?,
        data,
        state: read_state(reader)?,
    })
}

fn read_approver(reader: &ItemReader<'_>, data: &Map<String, Value>) -> Result<Option<Approver>, CorruptItem> {
    let Some(person) = reader.maybe_parsed(PERSON, PersonId::parse)? else { return Ok(None) };
    // The data of an event of an unknown type is not interpreted.
    let role = Event::approver_role(data).unwrap_or_default();
    Ok(Some(Approver { person, role: role.to_owned() }))
}

/// Digests of personal texts, by attribute; empty for a text that was removed.
fn texts_value(state: &StateDigests) -> Option<AttributeValue> {
    let value = |digest: &Option<StateDigest>| bytes(digest.as_ref().map_or(&[], |digest| digest.as_slice()));
    let texts = state.texts.iter().map(|(name, digest)| (name.clone(), value(digest))).collect();
    (!state.texts.is_empty()).then_some(AttributeValue::M(texts))
}

fn read_state(reader: &ItemReader<'_>) -> Result<StateDigests, CorruptItem> {
    let created = reader.get(CREATED).map(|_| reader.bytes(CREATED)).transpose()?;
    let text = |(name, value): (&String, &AttributeValue)| {
        let digest = value.as_b().ok()?.as_ref();
        let digest = if digest.is_empty() { None } else { Some(digest.try_into().ok()?) };
        Some((name.clone(), digest))
    };
    let texts = match reader.get(TEXTS).map(AttributeValue::as_m) {
        None => Some(BTreeMap::new()),
        Some(texts) => texts.ok().and_then(|texts| texts.iter().map(text).collect()),
    };
    let texts = texts.ok_or_else(|| reader.corrupt(TEXTS, "is malformed"))?;
    Ok(StateDigests { record: reader.bytes(STATE)?, created, texts })
}

/// `kind#id#role#claimed role#key id#proof`, where the middle three may be empty.
fn actor_text(actor: &Actor) -> String {
    let Actor { kind, id, role, claimed_role, key_id, proof, approver: _ } = actor;
    let [role, claimed_role] = [role, claimed_role].map(|role| role.map(Role::as_str).unwrap_or_default());
    let key_id = key_id.as_ref().map(KeyId::as_str).unwrap_or_default();
    format!("{kind}#{id}#{role}#{claimed_role}#{key_id}#{proof}")
}

fn read_actor(text: &str) -> Option<Actor> {
    let (kind, rest) = text.split_once('#')?;
    let mut parts = rest.rsplitn(5, '#');
    let proof = Proof::parse(parts.next()?)?;
    let key_id = maybe(parts.next()?, KeyId::parse)?;
    let claimed_role = maybe(parts.next()?, Role::parse)?;
    let role = maybe(parts.next()?, Role::parse)?;
    let (kind, id) = (ActorKind::parse(kind)?, parts.next()?.to_owned());
    Some(Actor { kind, id, role, claimed_role, key_id, proof, approver: None })
}

/// Reads a part that may be empty.
fn maybe<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { parse(text).map(Some) }
}
