//! Tenants: customers, some of which are partners too.

use serde_json::Value;

use super::{Chain, Cloud, Event, EventType, Market, Occurrence, PartnerId, SignInState, Subject, TenantId, Timestamp};

/// A registered tenant: a customer. It is a CSP tenant too once it is enrolled as a partner.
#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    pub tenant_id: TenantId,
    pub name: String,
    /// A DNS name in lower case, as [`crate::text::domain_name`] writes it. The operator has checked it and vouches for it.
    pub domain: Option<String>,
    /// Corrected only before the customer is invited for the first time.
    pub cloud: Cloud,
    /// Corrected only while the tenant is not enrolled as a partner.
    pub market: Market,
    /// The partner as which it is enrolled. If there is one, this is a CSP tenant (MP-40, MP-41).
    pub partner_id: Option<PartnerId>,
    /// How often an operator has ended all its sessions.
    pub sessions_generation: u64,
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

    /// What a session of this tenant depends on.
    pub fn sign_in_state(&self) -> SignInState {
        SignInState { generation: self.sessions_generation, is_partner: self.partner_id.is_some() }
    }

    /// Whether this record agrees with a registration. A domain that is not sent agrees.
    pub fn agrees_with(&self, asked: &Self) -> bool {
        (&self.name, self.cloud, self.market) == (&asked.name, asked.cloud, asked.market)
            && (asked.domain.is_none() || self.domain == asked.domain)
    }
}
