//! Tenants: customers, some of which are partners too.

use serde_json::Value;

use super::{Chain, Cloud, Event, EventType, Market, Occurrence, PartnerId, Subject, TenantId, Timestamp};

/// A registered tenant: a customer. It is a CSP tenant too once it is enrolled as a partner.
#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    pub tenant_id: TenantId,
    pub name: String,
    /// The name in its registration. A repeat of the registration must have the same.
    pub registered_name: String,
    /// A DNS name in lower case, as [`crate::text::domain_name`] writes it.
    pub domain: Option<String>,
    /// Never changes.
    pub cloud: Cloud,
    /// Never changes.
    pub market: Market,
    /// The partner as which it is enrolled. If there is one, this is a CSP tenant (MP-40, MP-41).
    pub partner_id: Option<PartnerId>,
    pub created_at: Timestamp,
    pub chain: Chain,
}

impl Tenant {
    /// The next event of this record.
    pub fn event<const N: usize>(
        &self,
        event_type: EventType,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Event {
        let subject = Subject { customer_tenant_id: Some(self.tenant_id.clone()), ..Subject::default() };
        Event::next(event_type, self.tenant_id.as_str(), &self.chain, subject, occurrence, data)
    }

    /// Whether both were registered with the same details.
    pub fn has_same_registration(&self, other: &Self) -> bool {
        (&self.registered_name, &self.domain, self.cloud, self.market)
            == (&other.registered_name, &other.domain, other.cloud, other.market)
    }
}
