//! Every key of the table and its indexes, built here and nowhere else. The arguments are checked types that can't hold a
//! `#`, so no id can forge another item's key.

use data_encoding::HEXLOWER;

use domain::{
    AggregateKind, Cloud, EndpointId, GrantId, InvitationId, KeyId, Owner, PartnerId, Subscription, SubscriptionId,
    TenantId, Timestamp, WebhookId, digest,
};

/// Partition key attribute.
pub const PK: &str = "pk";
/// Sort key attribute.
pub const SK: &str = "sk";
/// The partner's view and the operator's lists.
pub const GSI1: &str = "gsi1";
/// Partition key attribute of [`GSI1`].
pub const GSI1_PK: &str = "gsi1pk";
/// The customer's view.
pub const GSI2: &str = "gsi2";
/// Partition key attribute of [`GSI2`].
pub const GSI2_PK: &str = "gsi2pk";
/// Sort key attribute of [`GSI1`] and [`GSI2`]: what kind of thing, and when.
pub const LISTED: &str = "listed";
/// Due work.
pub const GSI3: &str = "gsi3";
/// Partition key attribute of [`GSI3`].
pub const GSI3_PK: &str = "gsi3pk";
/// Sort key attribute of [`GSI3`]: when it is due.
pub const GSI3_SK: &str = "gsi3sk";

/// The operator's list of all events.
pub const GSI4: &str = "gsi4";
/// Partition key attribute of [`GSI4`]; its sort key is [`LISTED`].
pub const GSI4_PK: &str = "gsi4pk";

/// An item's primary key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

/// A tenant's item.
pub fn tenant(id: &TenantId) -> Key {
    key(format!("TENANT#{id}"), "TENANT")
}

/// A partner's item.
pub fn partner(id: &PartnerId) -> Key {
    key(format!("PARTNER#{id}"), "PARTNER")
}

/// An access key's item.
pub fn access_key(id: &KeyId) -> Key {
    key(format!("KEY#{id}"), "KEY")
}

/// The key of no access key: every real one has an id.
pub fn no_access_key() -> Key {
    key("KEY#".to_owned(), "KEY")
}

/// A relationship's item, in its customer's partition.
pub fn relationship(customer: &TenantId, partner: &PartnerId) -> Key {
    key(customer_view(customer), format!("PARTNER#{partner}"))
}

/// A grant's item, after its relationship's.
pub fn grant(customer: &TenantId, partner: &PartnerId, id: &GrantId) -> Key {
    key(customer_view(customer), format!("PARTNER#{partner}#GRANT#{id}"))
}

/// An invitation's item.
pub fn invitation(id: &InvitationId) -> Key {
    key(format!("INVITATION#{id}"), "INVITATION")
}

/// A subscription's item.
pub fn subscription(cloud: Cloud, id: &SubscriptionId) -> Key {
    key(format!("SUBSCRIPTION#{}", Subscription::aggregate_id(cloud, id)), "SUBSCRIPTION")
}

/// The partition of an owner's webhook endpoints.
fn endpoints(owner: &Owner) -> String {
    let kind = match owner {
        Owner::Partner(_) => "PARTNER",
        Owner::Customer(_) => "CUSTOMER",
    };
    format!("ENDPOINTS#{kind}#{}", owner.id())
}

/// A webhook endpoint's item.
pub fn endpoint(owner: &Owner, id: &EndpointId) -> Key {
    key(endpoints(owner), format!("ENDPOINT#{id}"))
}

/// The item that knows which endpoints an owner has, and their addresses.
pub fn endpoint_list(owner: &Owner) -> Key {
    key(endpoints(owner), "LIST")
}

/// A message's way to an endpoint.
pub fn delivery(id: &WebhookId, endpoint: &EndpointId) -> Key {
    key(format!("{DELIVERY}{id}"), endpoint.as_str())
}

/// The bytes of a message.
pub fn message(id: &WebhookId) -> Key {
    key(format!("{DELIVERY}{id}"), "MESSAGE")
}

/// What the partition of a message begins with.
pub const DELIVERY: &str = "DELIVERY#";

/// Something of the table's stream that nobody can publish; `id` is the hash of whatever names it.
pub fn poison(id: &[u8; 32]) -> Key {
    key(format!("POISON#{}", HEXLOWER.encode(id)), "POISON")
}

/// The partition of an endpoint's deliveries in [`GSI1`].
pub fn endpoint_view(id: &EndpointId) -> String {
    format!("ENDPOINT#{id}")
}

/// An event's item; the aggregate's id is what its own `event` function gives it.
pub fn event(kind: AggregateKind, aggregate_id: &str, sequence: u64) -> Key {
    key(events(kind, aggregate_id), format!("{sequence:010}"))
}

/// The partition of a subscription's events.
pub fn subscription_events(cloud: Cloud, id: &SubscriptionId) -> String {
    events(AggregateKind::Subscription, &Subscription::aggregate_id(cloud, id))
}

/// The partition of an aggregate's events.
fn events(kind: AggregateKind, aggregate_id: &str) -> String {
    format!("{EVENTS}{}#{aggregate_id}", kind.as_str())
}

/// What the partition of an aggregate's events begins with.
pub const EVENTS: &str = "EVENTS#";

/// The partition of the events of the aggregate that an item holds; `None` when it holds none.
pub fn events_of(item: &Key) -> Option<String> {
    let (what, id) = item.pk.split_once('#')?;
    let kind = match what {
        "INVITATION" => AggregateKind::Invitation,
        "SUBSCRIPTION" => AggregateKind::Subscription,
        "TENANT" => AggregateKind::Tenant,
        "PARTNER" => AggregateKind::Partner,
        "KEY" => AggregateKind::Key,
        "CUSTOMER" => {
            return Some(match item.sk.split_once("#GRANT#") {
                Some((_, grant)) => events(AggregateKind::Grant, grant),
                None => {
                    let partner = item.sk.strip_prefix("PARTNER#")?;
                    events(AggregateKind::Relationship, &format!("{id}#{partner}"))
                }
            });
        }
        "ENDPOINTS" => return Some(events(AggregateKind::Endpoint, item.sk.strip_prefix("ENDPOINT#")?)),
        _ => return None,
    };
    Some(events(kind, id))
}

/// The partition of a partner's view in [`GSI1`].
pub fn partner_view(id: &PartnerId) -> String {
    format!("PARTNER#{id}")
}

/// The partition of a customer's view in [`GSI2`]; also that of its relationships in the table.
pub fn customer_view(id: &TenantId) -> String {
    format!("CUSTOMER#{id}")
}

/// The partition of an operator's list in [`GSI1`].
pub fn operator_view(list: Listed) -> String {
    format!("OPERATOR#{}", list.word())
}

/// What a list holds: the first part of [`LISTED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Invitations.
    Invitation,
    /// Relationships, each followed by the grants of its present or last period.
    Relationship,
    /// Subscriptions.
    Subscription,
    /// Events.
    Event,
    /// Tenants.
    Tenant,
    /// Partners.
    Partner,
    /// Access keys.
    Key,
    /// Webhook endpoints.
    Endpoint,
    /// Messages to an endpoint.
    Delivery,
}

impl Listed {
    fn word(self) -> &'static str {
        match self {
            Self::Invitation => "INVITATION",
            Self::Relationship => "RELATIONSHIP",
            Self::Subscription => "SUBSCRIPTION",
            Self::Event => "EVENT",
            Self::Tenant => "TENANT",
            Self::Partner => "PARTNER",
            Self::Key => "KEY",
            Self::Endpoint => "ENDPOINT",
            Self::Delivery => "DELIVERY",
        }
    }

    /// What every entry of this list begins with.
    pub fn prefix(self) -> String {
        format!("{}#", self.word())
    }

    /// The entry of something of that time.
    pub fn at(self, at: Timestamp) -> String {
        format!("{}#{}", self.word(), at.sortable())
    }
}

/// The entry of a relationship that began its period then; its grants follow.
pub fn listed_relationship(since: Timestamp, customer: &TenantId, partner: &PartnerId) -> String {
    format!("{}#{customer}#{partner}", Listed::Relationship.at(since))
}

/// The entry of a grant, right after its relationship's.
pub fn listed_grant(since: Timestamp, customer: &TenantId, partner: &PartnerId, starts_at: Timestamp) -> String {
    format!("{}#GRANT#{}", listed_relationship(since, customer, partner), starts_at.sortable())
}

/// How many partitions due work is spread over.
pub const DUE_SHARDS: u8 = 4;

/// The partition and entry in [`GSI3`] of work on something that is due then.
pub fn due(id: &str, at: Timestamp) -> (String, String) {
    let shard = digest("due", &[id.as_bytes()])[0] % DUE_SHARDS;
    (due_shard(shard), at.sortable())
}

/// How many partitions the outbox is spread over.
pub const OUTBOX_SHARDS: u8 = 8;

/// What the partition of the outbox in [`GSI3`] begins with.
pub const OUTBOX: &str = "OUTBOX#";

/// The partition and entry in [`GSI3`] of something that waits to be published since then.
pub fn outbox(item: &Key, since: Timestamp) -> (String, String) {
    let shard = digest("outbox", &[item.pk.as_bytes(), item.sk.as_bytes()])[0] % OUTBOX_SHARDS;
    (outbox_shard(shard), since.sortable())
}

/// One partition of the outbox.
pub fn outbox_shard(shard: u8) -> String {
    format!("{OUTBOX}{shard}")
}

/// How many partitions the deliveries that are not finished are spread over.
pub const LATER_SHARDS: u8 = 4;

/// What their partition in [`GSI3`] begins with. The table's stream calls nobody for these.
pub const LATER: &str = "LATER#";

/// The partition and entry in [`GSI3`] of a delivery that needs a ticket then.
pub fn later(item: &Key, at: Timestamp) -> (String, String) {
    let shard = digest("later", &[item.pk.as_bytes(), item.sk.as_bytes()])[0] % LATER_SHARDS;
    (later_shard(shard), at.sortable())
}

/// One partition of the deliveries that are not finished.
pub fn later_shard(shard: u8) -> String {
    format!("{LATER}{shard}")
}

/// One partition of due work.
pub fn due_shard(shard: u8) -> String {
    format!("DUE#{shard}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Texts that try to be more than one part of a key.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("#".to_owned()),
            Just("PARTNER#".to_owned()),
            Just("GRANT".to_owned()),
            Just("public".to_owned()),
            Just("6f9619ff-8b86-d011-b42d-00cf4fc964ff".to_owned()),
            Just("ptr_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned()),
            Just("ep_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned()),
            Just("msg_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned()),
            Just("\0".to_owned()),
            Just("/".to_owned()),
            "[A-Za-z0-9._#-]{1,8}",
        ];
        prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
    }

    /// Every key that can be made of a text, by what made it.
    fn keys_of(text: &str) -> Vec<(String, Key)> {
        let tenant_id = TenantId::parse(text);
        let partner_id = PartnerId::parse(text);
        let fixed_tenant = TenantId::parse("00000000-0000-0000-0000-000000000001").unwrap();
        let fixed_partner = PartnerId::from_tenant(&fixed_tenant);
        let mut keys = Vec::new();
        let mut add = |what: &str, key: Key| keys.push((format!("{what} {}", text.to_ascii_lowercase()), key));
        if let Some(id) = &tenant_id {
            add("tenant", tenant(id));
            add("relationship of customer", relationship(id, &fixed_partner));
        }
        if let Some(id) = &partner_id {
            add("partner", partner(id));
            add("relationship of partner", relationship(&fixed_tenant, id));
        }
        if let Some(id) = InvitationId::parse(text) {
            add("invitation", invitation(&id));
            add("event", event(AggregateKind::Invitation, id.as_str(), 1));
        }
        if let Some(id) = GrantId::parse(text) {
            add("grant", grant(&fixed_tenant, &fixed_partner, &id));
        }
        if let Some(id) = KeyId::parse(text) {
            add("key", access_key(&id));
        }
        if let Some(id) = EndpointId::parse(text) {
            add("endpoint", endpoint(&Owner::Partner(fixed_partner.clone()), &id));
            add("endpoint of customer", endpoint(&Owner::Customer(fixed_tenant.clone()), &id));
        }
        if let Some(id) = WebhookId::parse(text) {
            add("message", message(&id));
        }
        if let Some(id) = SubscriptionId::parse(text) {
            for cloud in Cloud::ALL {
                add(&format!("subscription {cloud}"), subscription(*cloud, &id));
                add(
                    &format!("event {cloud}"),
                    event(AggregateKind::Subscription, &Subscription::aggregate_id(*cloud, &id), 1),
                );
            }
        }
        keys
    }

    proptest! {
        #[test]
        fn no_two_things_share_a_key_whatever_they_are_called(texts in prop::collection::vec(hostile(), 1..12)) {
            let mut owners: BTreeMap<Key, String> = BTreeMap::new();
            for (owner, key) in texts.iter().flat_map(|text| keys_of(text)) {
                prop_assert!(key.pk.len() <= 2048 && key.sk.len() <= 1024);
                if let Some(other) = owners.insert(key.clone(), owner.clone()) {
                    prop_assert_eq!(other, owner, "{:?}", key);
                }
            }
        }
    }

    #[test]
    fn a_grant_is_listed_right_after_its_relationship() {
        let customer = TenantId::parse("00000000-0000-0000-0000-000000000001").unwrap();
        let partner = PartnerId::from_hash(&digest("p", &[]));
        let since = Timestamp::from_millis(5);
        let relationship = listed_relationship(since, &customer, &partner);
        let grant = listed_grant(since, &customer, &partner, since);
        assert!(grant.starts_with(&relationship) && relationship.starts_with(&Listed::Relationship.prefix()));
    }
}
