//! Partitions and entries of the lists: the views of partners, customers and endpoints, and the operator's lists.

use super::prefix::{CUSTOMER, ENDPOINT, GRANT, PARTNER};
use super::shard::{shard, shard_of};
use domain::{EndpointId, PartnerId, Principal, TenantId, Timestamp};

/// The partition of a partner's view in [`GSI1`](super::GSI1).
pub fn partner_view(id: &PartnerId) -> String {
    format!("{PARTNER}{id}")
}

pub fn parse_partner_view(partition: &str) -> Option<PartnerId> {
    PartnerId::parse(partition.strip_prefix(PARTNER)?)
}

/// The partition of a customer's view in [`GSI2`](super::GSI2). In the table it is the partition of the customer's
/// relationships.
pub fn customer_view(id: &TenantId) -> String {
    format!("{CUSTOMER}{id}")
}

pub fn parse_customer_view(partition: &str) -> Option<TenantId> {
    TenantId::parse(partition.strip_prefix(CUSTOMER)?)
}

/// The partition of an endpoint's deliveries in [`GSI1`](super::GSI1).
pub fn endpoint_view(id: &EndpointId) -> String {
    format!("{ENDPOINT}{id}")
}

/// The partition of the keys of one owner in [`GSI2`](super::GSI2).
pub fn principal_view(principal: &Principal) -> String {
    format!("KEYS#{}", principal.id().unwrap_or(principal.kind().as_str()))
}

/// The partition of an endpoint's pending deliveries in [`GSI2`](super::GSI2).
pub fn endpoint_waiting(id: &EndpointId) -> String {
    format!("WAITING#{id}")
}

/// The partition in one of the operator's lists of the aggregate with this id, or of its events.
pub fn operator_view(list: Listed, aggregate_id: &str) -> String {
    operator_shard(list, shard_of("operator", &[list.word().as_bytes(), aggregate_id.as_bytes()]))
}

/// What the partitions of one of the operator's lists begin with.
pub fn operator_family(list: Listed) -> String {
    format!("OPERATOR#{}#", list.word())
}

fn operator_shard(list: Listed, number: u8) -> String {
    shard(&operator_family(list), number)
}

/// What a list holds: the first part of [`LISTED`](super::LISTED).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    Invitation,
    /// Relationships, each followed by the grants of its present or last period.
    Relationship,
    /// Grants, by the end that was written last.
    Grant,
    Subscription,
    Event,
    Tenant,
    Partner,
    Key,
    Endpoint,
    Delivery,
}

impl Listed {
    fn word(self) -> &'static str {
        match self {
            Self::Invitation => "INVITATION",
            Self::Relationship => "RELATIONSHIP",
            Self::Grant => "GRANT",
            Self::Subscription => "SUBSCRIPTION",
            Self::Event => "EVENT",
            Self::Tenant => "TENANT",
            Self::Partner => "PARTNER",
            Self::Key => "KEY",
            Self::Endpoint => "ENDPOINT",
            Self::Delivery => "DELIVERY",
        }
    }

    /// The prefix of every entry of this list.
    pub fn prefix(self) -> String {
        format!("{}#", self.word())
    }

    /// Sorts after every entry of this list, since `~` sorts after every digit and letter.
    pub fn end(self) -> String {
        format!("{}#~", self.word())
    }

    /// The entry of an item of that time.
    pub fn at(self, at: Timestamp) -> String {
        format!("{}#{}", self.word(), at.sortable())
    }

    /// The time of an entry that [`Listed::at`] built.
    pub fn parse_time(self, entry: &str) -> Option<Timestamp> {
        Timestamp::parse_sortable(entry.strip_prefix(&self.prefix())?)
    }
}

/// The entry of a relationship whose period began at `since`. The entries of its grants follow.
pub fn listed_relationship(since: Timestamp, customer: &TenantId, partner: &PartnerId) -> String {
    format!("{}#{customer}#{partner}", Listed::Relationship.at(since))
}

/// The entry of a grant, right after the one of its relationship.
pub fn listed_grant(since: Timestamp, customer: &TenantId, partner: &PartnerId, starts_at: Timestamp) -> String {
    format!("{}{GRANT}{}", listed_relationship(since, customer, partner), starts_at.sortable())
}
