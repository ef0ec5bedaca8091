//! The relationship of one customer with one partner: none → active ⇄ ended.

use serde_json::{Value, json};

use super::event::{Chain, Event, EventType, Occurrence, Subject};
use super::{Grant, InvitationId, PartnerId, PartnerStatus, TenantId, Timestamp};

/// The state of a relationship.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationshipState {
    /// There have only been invitations.
    None,
    /// The partner may register subscriptions.
    Active,
    /// A side ended it.
    Ended,
}

impl RelationshipState {
    /// The word in the table and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Active => "active",
            Self::Ended => "ended",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Active, Self::Ended].into_iter().find(|state| state.as_str() == text)
    }
}

/// One customer's relationship with one partner.
#[derive(Clone, Debug, PartialEq)]
pub struct Relationship {
    /// The customer.
    pub customer: TenantId,
    /// The partner.
    pub partner_id: PartnerId,
    /// Its state.
    pub state: RelationshipState,
    /// The invitation that started the present or last period, and when.
    pub period: Option<(InvitationId, Timestamp)>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The open invitation and its end.
    pub open_invitation: Option<(InvitationId, Timestamp)>,
    /// +1 with every change.
    pub version: u64,
    /// Where its events stand.
    pub chain: Chain,
}

impl Relationship {
    /// The period that is active now.
    pub fn active_period(&self) -> Option<&InvitationId> {
        self.period.as_ref().filter(|_| self.state == RelationshipState::Active).map(|(id, _)| id)
    }

    /// The invitation that is open at a time.
    pub fn open_at(&self, now: Timestamp) -> Option<&InvitationId> {
        self.open_invitation.as_ref().filter(|(_, until)| now < *until).map(|(id, _)| id)
    }

    /// `{partner_id,customer_tenant_id,state,since,ended_at?}`
    pub fn view(&self) -> Value {
        let mut view = json!({
            "partner_id": self.partner_id, "customer_tenant_id": self.customer, "state": self.state.as_str(),
            "since": self.period.as_ref().map(|(_, since)| since),
        });
        if let Some(ended_at) = self.ended_at {
            view["ended_at"] = json!(ended_at);
        }
        view
    }

    /// The view of one of its grants: one that was active when the relationship ended, ended with it.
    pub fn grant_view(&self, grant: &Grant, now: Timestamp, partner: PartnerStatus) -> Value {
        let state = grant.state(now, self.active_period(), partner);
        let of_last_period = self.period.as_ref().is_some_and(|(id, _)| *id == grant.period);
        let with_relationship = self.ended_at.filter(|_| of_last_period && self.state == RelationshipState::Ended);
        let ended_at = grant.ended_at.or(with_relationship);
        Grant { ended_at, ..grant.clone() }.view(ended_at.unwrap_or(now), state)
    }

    /// Its next event.
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
