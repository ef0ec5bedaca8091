//! The keys with which operators, partners and customers call.

use serde_json::Value;

use super::{Chain, Event, EventType, KeyId, Occurrence, Principal, Role, Subject, Timestamp};

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
