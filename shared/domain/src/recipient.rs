//! Whom a delivery is for: an endpoint, and the partner that owns it. Both can make deliveries wait.

use super::{DeliveryPurpose, Endpoint, EndpointState, Partner, Period, Timestamp};

/// An endpoint, and the partner if a partner owns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipient {
    pub endpoint: Endpoint,
    pub partner: Option<Partner>,
}

impl Recipient {
    pub fn period(&self) -> Period {
        let partner = self.partner.as_ref().map_or(0, |partner| partner.status_sequence);
        Period { endpoint: self.endpoint.period, partner }
    }

    /// Whether no attempt may be made.
    pub fn is_suspended(&self) -> bool {
        self.partner.as_ref().is_some_and(|partner| !partner.is_active())
    }

    /// Whether a delivery waits here. Only a challenge is sent to a pending endpoint.
    pub fn holds(&self, purpose: DeliveryPurpose) -> bool {
        let is_pending = self.endpoint.state == EndpointState::Pending;
        self.is_suspended() || (is_pending && purpose != DeliveryPurpose::Challenge)
    }

    /// Failures count from here on: the time of a suspension does not.
    pub fn counted_from(&self) -> Timestamp {
        self.partner.as_ref().map_or(self.endpoint.created_at, |partner| partner.status_since)
    }
}
