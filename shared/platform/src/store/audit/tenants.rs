//! A tenant is a CSP tenant if and only if there is a partner with that tenant.

use std::collections::BTreeMap;

use super::super::item::text_of;
use super::found::{Found, partition_of};
use super::report::{Fault, Problem};
use domain::AggregateKind;

pub(super) fn check(found: &Found) -> Vec<Fault> {
    let partners = found.checked_of(AggregateKind::Partner).filter_map(|(_, record)| record.item.as_ref());
    let partner_of: BTreeMap<&str, &str> =
        partners.filter_map(|item| Some((text_of(item, "tenant")?, id_of(text_of(item, "pk")?)))).collect();
    let tenants = found.checked_of(AggregateKind::Tenant);
    let is_wrong = |record: &super::found::Record| {
        let Some(item) = &record.item else { return false };
        let stored = text_of(item, "csp_partner");
        let is_unread = stored.is_some_and(|id| found.unread.contains(&partition_of(AggregateKind::Partner, id)));
        let id = text_of(item, "pk").map(id_of).unwrap_or_default();
        !is_unread && (stored != partner_of.get(id).copied() || item.contains_key("csp_partner") != stored.is_some())
    };
    let fault = |partition: &String| Fault::new(partition, Problem::Derived("csp_partner".to_owned()));
    tenants.filter(|(_, record)| is_wrong(record)).map(|(partition, _)| fault(partition)).collect()
}

/// The id in a partition key.
fn id_of(pk: &str) -> &str {
    pk.split_once('#').map_or(pk, |(_, id)| id)
}
