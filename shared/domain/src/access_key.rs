//! The keys with which operators, partners and customers call.

use serde_json::Value;

use super::{CallerKind, Chain, Event, EventType, KeyId, Occurrence, PartnerId, Role, Subject, TenantId, Timestamp};

/// The owner of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Runs the service.
    Operator,
    Partner(PartnerId),
    Customer(TenantId),
}

impl Principal {
    pub fn kind(&self) -> CallerKind {
        match self {
            Self::Operator => CallerKind::Operator,
            Self::Partner(_) => CallerKind::Partner,
            Self::Customer(_) => CallerKind::Customer,
        }
    }

    /// Reads `operator`, or the id of a partner or a customer.
    pub fn parse(text: &str) -> Option<Self> {
        if text == CallerKind::Operator.as_str() {
            return Some(Self::Operator);
        }
        let partner = PartnerId::parse(text).map(Self::Partner);
        partner.or_else(|| TenantId::parse(text).map(Self::Customer))
    }

    /// `None` for operators.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Operator => None,
            Self::Partner(id) => Some(id.as_str()),
            Self::Customer(id) => Some(id.as_str()),
        }
    }
}

/// An access key as the table has it: its hash, not the key itself.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessKey {
    pub key_id: KeyId,
    /// SHA-256 of the whole key text.
    pub hash: [u8; 32],
    pub principal: Principal,
    pub roles: Vec<Role>,
    /// A label that the operator chose.
    pub name: String,
    pub created_at: Timestamp,
    /// From this time on it is rejected.
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub chain: Chain,
}

impl AccessKey {
    /// Whether it is accepted.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }

    /// The next event of this record.
    pub fn event<const N: usize>(
        &self,
        event_type: EventType,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Event {
        let mut subject = Subject { key_id: Some(self.key_id.clone()), ..Subject::default() };
        match &self.principal {
            Principal::Operator => {}
            Principal::Partner(id) => subject.partner_id = Some(id.clone()),
            Principal::Customer(id) => subject.customer_tenant_id = Some(id.clone()),
        }
        Event::next(event_type, self.key_id.as_str(), &self.chain, subject, occurrence, data)
    }
}
