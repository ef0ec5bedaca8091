//! The item that lists an owner's endpoints. For each address an attribute holds the id of the endpoint that has it. The item
//! also counts challenges, because their limit is one of the owner.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::HEXLOWER;

use super::item::{CorruptItem, Item, ItemReader, SCHEMA, number, text};
use super::keys;
use super::uses::{count_use, read_uses};
use super::write::Write;
use domain::{Endpoint, EndpointId, EndpointState, Owner, Use, Uses, digest};

const URL: &str = "url_";
const LIVE: &str = "live";
const CHALLENGES: &str = "challenges";

/// The name of a URL's attribute. All spellings of one address have the same.
fn url_attribute(url: &str) -> String {
    let address = Endpoint::address(url);
    format!("{URL}{}", HEXLOWER.encode(&digest("endpoint url", &[address.as_bytes()])[..16]))
}

/// Whether the list has an endpoint with this address.
pub(super) fn holds(list: &Item, url: &str) -> bool {
    list.contains_key(&url_attribute(url))
}

/// The ids of the endpoints in a list.
pub(super) fn listed_ids(list: &Item) -> impl Iterator<Item = EndpointId> {
    let ids = list.iter().filter(|(name, _)| name.starts_with(URL)).filter_map(|(_, id)| id.as_s().ok());
    ids.filter_map(|id| EndpointId::parse(id))
}

/// Attributes of the list that are not verified, because they do not follow from the endpoints: the times of the last challenges.
pub(super) const LEFT_OUT: &[&str] = &[CHALLENGES];

/// The attributes of a list of these endpoints, except its key.
pub(super) fn list_attributes<'a>(endpoints: impl Iterator<Item = &'a Endpoint>) -> BTreeMap<String, AttributeValue> {
    let mut attributes: BTreeMap<String, AttributeValue> =
        endpoints.map(|endpoint| (url_attribute(&endpoint.url), text(endpoint.endpoint_id.as_str()))).collect();
    attributes.insert(LIVE.to_owned(), number(attributes.len()));
    attributes.insert("v".to_owned(), number(SCHEMA));
    attributes
}

/// The number of endpoints in a list.
pub(super) fn live(list: &Item) -> Result<usize, CorruptItem> {
    Ok(ItemReader::new(list)?.maybe_number(LIVE)?.unwrap_or_default())
}

/// The challenges that the owner caused.
pub(super) fn challenges(list: &Item) -> Result<Uses, CorruptItem> {
    read_uses(&ItemReader::new(list)?, CHALLENGES)
}

/// Adds a new endpoint and its challenge, unless there are `most` or there is one with its address.
pub(super) fn list_endpoint(endpoint: &Endpoint, most: usize, challenge: &Use) -> Write {
    let guard = "attribute_not_exists(#url) AND (attribute_not_exists(live) OR live < :most)";
    let write = Write::update(keys::endpoint_list(&endpoint.owner), guard)
        .set("v = :schema, #url = :id, live = if_not_exists(live, :zero) + :one")
        .name("#url", url_attribute(&endpoint.url))
        .text(":id", endpoint.endpoint_id.as_str())
        .value(":schema", number(SCHEMA))
        .value(":zero", number(0))
        .value(":one", number(1))
        .value(":most", number(most));
    count_use(write, CHALLENGES, challenge)
}

/// Counts a challenge and changes nothing else.
pub(super) fn list_challenge(owner: &Owner, challenge: &Use) -> Write {
    count_use(Write::update(keys::endpoint_list(owner), "attribute_exists(pk)"), CHALLENGES, challenge)
}

/// Whether a change of an endpoint needs another attribute.
pub(super) fn is_moved(before: &Endpoint, after: &Endpoint) -> bool {
    url_attribute(&before.url) != url_attribute(&after.url)
}

/// What a change of an endpoint changes in the list: a deleted endpoint leaves it, a new address replaces the old one, and a
/// challenge is counted.
pub(super) fn relist(before: &Endpoint, after: &Endpoint, challenge: Option<&Use>) -> Option<Write> {
    let list = || {
        Write::update(keys::endpoint_list(&before.owner), "#old = :id")
            .name("#old", url_attribute(&before.url))
            .text(":id", before.endpoint_id.as_str())
    };
    let write = if after.state == EndpointState::Deleted {
        Some(list().remove("#old").set("live = live - :one").value(":one", number(1)))
    } else if is_moved(before, after) {
        let write = list().remove("#old").and("attribute_not_exists(#new)").set("#new = :id");
        Some(write.name("#new", url_attribute(&after.url)))
    } else {
        challenge.is_some().then(list)
    };
    write.map(|write| challenge.iter().fold(write, |write, challenge| count_use(write, CHALLENGES, challenge)))
}
