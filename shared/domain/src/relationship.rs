//! The relationship of one customer with one partner: none, then active, then ended, and active again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Chain, Event, EventType, InvitationId, Occurrence, PartnerId, Proof, RelationshipState, Subject, TenantId,
    Timestamp,
};

/// One customer's relationship with one partner.
#[derive(Clone, Debug, PartialEq)]
pub struct Relationship {
    pub customer: TenantId,
    pub partner_id: PartnerId,
    pub state: RelationshipState,
    /// The invitation that started the current or last period, and when. A period that was imported has an id of its own
    /// ([`InvitationId::of_import`]).
    pub period: Option<(InvitationId, Timestamp)>,
    /// What proved who accepted the invitation that started this period. `none` if an operator stated it.
    pub proof: Proof,
    pub ended_at: Option<Timestamp>,
    /// When each period ended, by the last 26 characters of the invitation that started it.
    pub period_ends: BTreeMap<String, Timestamp>,
    /// The open invitation, and when it expires.
    pub open_invitation: Option<(InvitationId, Timestamp)>,
    /// The partner's own reference, which an import can have. Only for the partner and the operator.
    pub external_reference: Option<String>,
    /// Grows by one with every change.
    pub version: u64,
    pub chain: Chain,
}

impl Relationship {
    /// A pair that has neither a relationship nor an invitation.
    pub fn none(customer: TenantId, partner_id: PartnerId) -> Self {
        Self {
            customer,
            partner_id,
            state: RelationshipState::None,
            period: None,
            proof: Proof::None,
            ended_at: None,
            period_ends: BTreeMap::new(),
            open_invitation: None,
            external_reference: None,
            version: 0,
            chain: Chain::default(),
        }
    }

    /// The relationship after its import. An open invitation stays open.
    #[must_use]
    pub fn imported(&self, since: Timestamp, external_reference: Option<String>) -> Self {
        Self {
            state: RelationshipState::Active,
            period: Some((InvitationId::of_import(&self.customer, &self.partner_id), since)),
            external_reference,
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The invitation that started the active period.
    pub fn active_period(&self) -> Option<&InvitationId> {
        self.period.as_ref().filter(|_| self.state == RelationshipState::Active).map(|(id, _)| id)
    }

    /// Start of the current or last period.
    pub fn since(&self) -> Option<Timestamp> {
        self.period.as_ref().map(|(_, since)| *since)
    }

    /// The invitation that can still be answered.
    pub fn open_at(&self, now: Timestamp) -> Option<&InvitationId> {
        self.open_invitation.as_ref().filter(|(_, until)| now < *until).map(|(id, _)| id)
    }

    /// When a period ended; `None` for the active one.
    pub fn period_end(&self, period: &InvitationId) -> Option<Timestamp> {
        if self.active_period() == Some(period) {
            return None;
        }
        let ended_at = self.period_ends.get(period.tail()).copied().or(self.ended_at);
        Some(ended_at.unwrap_or(Timestamp::from_millis(0)))
    }

    /// The next event of this relationship.
    pub fn event<const N: usize>(
        &self,
        event_type: EventType,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Event {
        let subject = Subject {
            partner_id: Some(self.partner_id.clone()),
            customer_tenant_id: Some(self.customer.clone()),
            ..Subject::default()
        };
        let id = format!("{}#{}", self.customer, self.partner_id);
        Event::next(event_type, id, &self.chain, subject, occurrence, data)
    }
}
