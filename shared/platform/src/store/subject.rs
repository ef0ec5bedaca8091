//! The filter of events by one of the ids in their subject.

use std::collections::HashMap;
use std::fmt;

use super::cursor::Scope;
use super::item::text;
use super::keys;
use super::query::Filter;
use domain::{Cloud, EndpointId, GrantId, InvitationId, KeyId, PartnerId, SubscriptionId, TenantId};

/// An id by which events are filtered. Partners choose the ids of subscriptions, so each text may be the id of a
/// subscription, and also one of another kind.
#[derive(Clone, Debug)]
pub struct EventSubject {
    subscription: SubscriptionId,
    other: Option<OtherId>,
}

#[derive(Clone, Debug)]
enum OtherId {
    Invitation(InvitationId),
    Grant(GrantId),
    Key(KeyId),
    Endpoint(EndpointId),
    Partner(PartnerId),
    Customer(TenantId),
}

impl OtherId {
    fn parse(text: &str) -> Option<Self> {
        None.or_else(|| InvitationId::parse(text).map(Self::Invitation))
            .or_else(|| GrantId::parse(text).map(Self::Grant))
            .or_else(|| KeyId::parse(text).map(Self::Key))
            .or_else(|| EndpointId::parse(text).map(Self::Endpoint))
            .or_else(|| PartnerId::parse(text).map(Self::Partner))
            .or_else(|| TenantId::parse(text).map(Self::Customer))
    }

    /// The attribute of an event that contains this id, and its value.
    fn attribute(&self) -> (&'static str, String) {
        match self {
            Self::Invitation(id) => ("invitation", id.to_string()),
            Self::Grant(id) => ("grant_id", id.to_string()),
            Self::Key(id) => ("key_id", id.to_string()),
            Self::Endpoint(id) => ("endpoint", id.to_string()),
            Self::Partner(id) => (keys::GSI1_PK, keys::partner_view(id)),
            Self::Customer(id) => (keys::GSI2_PK, keys::customer_view(id)),
        }
    }
}

impl EventSubject {
    /// `None` if the text is not an id.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self { subscription: SubscriptionId::parse(text)?, other: OtherId::parse(text) })
    }

    /// The filter of a list of events; `None` if every event of the list has this subject.
    pub(super) fn filter(&self, scope: &Scope) -> Option<Filter> {
        let (mut conditions, mut values) = (Vec::new(), HashMap::new());
        // A subscription's events are found by their own partition, since its id is compared without case.
        for cloud in Cloud::ALL {
            conditions.push(format!("pk = :{cloud}"));
            values.insert(format!(":{cloud}"), text(keys::subscription_events(*cloud, &self.subscription)));
        }
        if let Some((attribute, value)) = self.other.as_ref().map(OtherId::attribute) {
            if attribute != scope.index.pk {
                conditions.push(format!("{attribute} = :id"));
                values.insert(":id".to_owned(), text(value));
            } else if value == scope.partition {
                return None;
            }
            // A filter cannot use the partition key of its index. No event of this partition has another value.
        }
        Some((conditions.join(" OR "), values))
    }
}

impl fmt::Display for EventSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.subscription.as_str())
    }
}
