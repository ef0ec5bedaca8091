//! The list of an owner's endpoints must contain exactly those that are not deleted.

use std::collections::{BTreeMap, BTreeSet};

use super::super::endpoint::read_endpoint;
use super::super::endpoint_list::{LEFT_OUT, list_attributes};
use super::super::item::{Item, key_of};
use super::super::keys;
use super::found::Found;
use super::report::{Fault, Problem};
use domain::{AggregateKind, Endpoint, EndpointState};

pub(super) fn check(found: &Found) -> Vec<Fault> {
    let mut owned: BTreeMap<String, Vec<Endpoint>> = BTreeMap::new();
    for item in found.checked_of(AggregateKind::Endpoint).filter_map(|(_, record)| record.item.as_ref()) {
        if let (Some(key), Ok(endpoint)) = (key_of(item), read_endpoint(item)) {
            owned.entry(key.pk).or_default().push(endpoint);
        }
    }
    // If an endpoint can't be read, its owner is unknown.
    if found
        .unread
        .iter()
        .any(|partition| partition.starts_with(&super::found::partition_of(AggregateKind::Endpoint, "")))
    {
        return Vec::new();
    }
    let partitions: BTreeSet<&String> = owned.keys().chain(found.endpoint_lists.keys()).collect();
    partitions.into_iter().flat_map(|pk| check_list(pk, owned.get(pk), found.endpoint_lists.get(pk))).collect()
}

fn check_list(pk: &str, endpoints: Option<&Vec<Endpoint>>, list: Option<&Item>) -> Vec<Fault> {
    let fault = |problem| Fault { record: format!("{pk} / LIST"), problem };
    let (Some(endpoints), Some(list)) = (endpoints, list) else {
        return vec![fault(if list.is_some() { Problem::Inserted } else { Problem::Deleted })];
    };
    let live = endpoints.iter().filter(|endpoint| endpoint.state != EndpointState::Deleted);
    let expected = list_attributes(live);
    let is_own = |name: &&String| ![keys::PK, keys::SK].contains(&name.as_str()) && !LEFT_OUT.contains(&name.as_str());
    let names: BTreeSet<&String> = expected.keys().chain(list.keys().filter(is_own)).collect();
    let wrong = names.into_iter().filter(|name| expected.get(*name) != list.get(*name));
    wrong.map(|name| fault(Problem::Derived(name.clone()))).collect()
}
