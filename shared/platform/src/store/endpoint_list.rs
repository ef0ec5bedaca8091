//! The item that lists an owner's endpoints. For each URL an attribute holds the id of the endpoint with this URL.

use data_encoding::HEXLOWER;

use super::item::{Item, SCHEMA, number};
use super::keys;
use super::write::Write;
use domain::{Endpoint, EndpointId, EndpointState, digest};

const URL: &str = "url_";

/// The name of a URL's attribute.
fn url_attribute(url: &str) -> String {
    format!("{URL}{}", HEXLOWER.encode(&digest("endpoint url", &[url.as_bytes()])[..16]))
}

/// Whether the list has an endpoint with this URL.
pub(super) fn holds(list: &Item, url: &str) -> bool {
    list.contains_key(&url_attribute(url))
}

/// The ids of the endpoints in a list.
pub(super) fn listed_ids(list: &Item) -> impl Iterator<Item = EndpointId> {
    let ids = list.iter().filter(|(name, _)| name.starts_with(URL)).filter_map(|(_, id)| id.as_s().ok());
    ids.filter_map(|id| EndpointId::parse(id))
}

/// Adds a new endpoint, unless there are `most` or there is one with its URL.
pub(super) fn list_endpoint(endpoint: &Endpoint, most: usize) -> Write {
    let guard = "attribute_not_exists(#url) AND (attribute_not_exists(live) OR live < :most)";
    Write::update(keys::endpoint_list(&endpoint.owner), guard)
        .set("v = :schema, #url = :id, live = if_not_exists(live, :zero) + :one")
        .name("#url", url_attribute(&endpoint.url))
        .text(":id", endpoint.endpoint_id.as_str())
        .value(":schema", number(SCHEMA))
        .value(":zero", number(0))
        .value(":one", number(1))
        .value(":most", number(most))
}

/// What a change of an endpoint changes in the list: a deleted endpoint leaves it, a new URL replaces the old one.
pub(super) fn relist(before: &Endpoint, after: &Endpoint) -> Option<Write> {
    let write = Write::update(keys::endpoint_list(&before.owner), "#old = :id")
        .remove("#old")
        .name("#old", url_attribute(&before.url))
        .text(":id", before.endpoint_id.as_str());
    if after.state == EndpointState::Deleted {
        return Some(write.set("live = live - :one").value(":one", number(1)));
    }
    let is_moved = after.url != before.url;
    is_moved.then(|| {
        let write = write.and("attribute_not_exists(#new)").set("#new = :id");
        write.name("#new", url_attribute(&after.url))
    })
}
