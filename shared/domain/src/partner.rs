//! Partners: tenants that invite customers and register what they sold.

use serde_json::Value;

use super::{
    Chain, Cloud, Event, EventType, Market, Occurrence, PartnerId, PartnerStatus, SecretVersion, Subject, TenantId,
    Timestamp,
};

/// A tenant that is enrolled as a partner.
#[derive(Clone, Debug, PartialEq)]
pub struct Partner {
    pub partner_id: PartnerId,
    pub tenant_id: TenantId,
    pub name: String,
    /// A DNS name in lower case, as [`crate::text::domain_name`] writes it. The operator has checked it and vouches for it.
    pub domain: Option<String>,
    pub cloud: Cloud,
    /// Corrected only while the partner has no relationship.
    pub market: Market,
    /// A suspended partner cannot act (MP-45).
    pub status: PartnerStatus,
    /// When the status last changed.
    pub status_since: Timestamp,
    /// The sequence of the event that last changed the status.
    pub status_sequence: u64,
    /// Versions of the signing secret, newest first; at most two are live.
    pub secrets: Vec<SecretVersion>,
    pub created_at: Timestamp,
    pub chain: Chain,
}

impl Partner {
    /// The next event of this partner. The subject of its enrollment includes its tenant, which becomes a CSP tenant.
    pub fn event<const N: usize>(
        &self,
        event_type: EventType,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Event {
        let tenant = (event_type == EventType::PartnerEnrolled).then(|| self.tenant_id.clone());
        let partner_id = Some(self.partner_id.clone());
        let subject = Subject { partner_id, customer_tenant_id: tenant, ..Subject::default() };
        Event::next(event_type, self.partner_id.as_str(), &self.chain, subject, occurrence, data)
    }

    /// Whether this record agrees with an enrollment. A domain that is not sent agrees.
    pub fn agrees_with(&self, asked: &Self) -> bool {
        (&self.name, self.cloud, self.market) == (&asked.name, asked.cloud, asked.market)
            && (asked.domain.is_none() || self.domain == asked.domain)
    }

    /// The secrets that are accepted, newest first.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &SecretVersion> {
        SecretVersion::live(&self.secrets, now)
    }

    /// The partner with another status from `now` on.
    pub fn with_status(&self, status: PartnerStatus, now: Timestamp) -> Self {
        Self { status, status_since: now, status_sequence: self.chain.sequence + 1, ..self.clone() }
    }

    pub fn is_active(&self) -> bool {
        self.status == PartnerStatus::Active
    }
}
