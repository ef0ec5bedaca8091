//! An invitation: pending → accepted, declined or cancelled; expired is computed from its time (MP-17).

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use super::event::{Chain, Event, EventType, Occurrence, Subject};
use super::{
    CloudPolicy, DecisionKind, DelegatedAdmin, Grant, GrantId, InvitationId, InvitationKind, InvitationState,
    PartnerId, Requirement, TenantId, Timestamp, digest,
};

/// Who says to have answered, in the holder's own words: possession of a link proves no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedBy {
    /// The person's name.
    pub name: String,
    /// The person's e-mail address.
    pub email: String,
    /// What makes [`AcceptedBy::digest`] useless to anyone who guesses names; erased together with them.
    pub salt: [u8; 16],
}

impl AcceptedBy {
    /// What events hold in place of the person: 128 bits of a salted hash. Once the person's own words and the salt are
    /// erased from the invitation it says nothing, and the chain of events still holds.
    pub fn digest(&self) -> String {
        let hash = digest("accepted by", &[&self.salt, self.name.as_bytes(), self.email.as_bytes()]);
        BASE64URL_NOPAD.encode(&hash[..16])
    }
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, with this much delegated administration.
    Accepted {
        /// What was granted; `None` when nothing was asked or all of it was refused.
        granted: Option<DelegatedAdmin>,
        /// Who says to have answered.
        accepted_by: AcceptedBy,
    },
    /// No.
    Declined {
        /// Why, in the customer's words.
        reason: Option<String>,
    },
    /// Withdrawn by the partner.
    Cancelled,
}

impl Decision {
    pub fn kind(&self) -> DecisionKind {
        match self {
            Self::Accepted { .. } => DecisionKind::Accepted,
            Self::Declined { .. } => DecisionKind::Declined,
            Self::Cancelled => DecisionKind::Cancelled,
        }
    }
}

/// An answer and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was decided.
    pub decision: Decision,
    /// When.
    pub decided_at: Timestamp,
}

/// An invitation to a relationship, or to a grant within one.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
    /// Its id.
    pub invitation_id: InvitationId,
    /// What it asks for.
    pub kind: InvitationKind,
    /// Who invites.
    pub partner_id: PartnerId,
    /// The partner's name at that time.
    pub partner_name: String,
    /// Who is invited.
    pub customer: TenantId,
    /// Delegated administration that is asked for.
    pub delegated_admin: Option<DelegatedAdmin>,
    /// Words of the partner.
    pub message: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it can't be answered.
    pub expires_at: Timestamp,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
    /// Whether its expiry has been announced: from then on it is over, whatever a clock that lags may say.
    pub expiry_announced: bool,
    /// +1 with every change.
    pub version: u64,
    /// The policy it was made under.
    pub policy_version: u32,
    /// +1 with every renewal; the link's token derives from it.
    pub token_generation: u32,
    /// The number of the master key the token derives from.
    pub key_number: u32,
    /// SHA-256 of the link's token.
    pub token_hash: [u8; 32],
    /// SHA-256 of the request that made it, without envelope and headers.
    pub fingerprint: [u8; 32],
    /// Kind grant: the relationship's period it belongs to, and since when that runs.
    pub period: Option<(InvitationId, Timestamp)>,
    /// Where its events stand.
    pub chain: Chain,
}

impl Invitation {
    /// Whether it asks for a grant within an active relationship.
    pub fn is_grant(&self) -> bool {
        self.kind == InvitationKind::Grant
    }

    /// Its state at a time.
    pub fn state(&self, now: Timestamp) -> InvitationState {
        match self.answer.as_ref().map(|answer| &answer.decision) {
            Some(Decision::Accepted { .. }) => InvitationState::Accepted,
            Some(Decision::Declined { .. }) => InvitationState::Declined,
            Some(Decision::Cancelled) => InvitationState::Cancelled,
            None if self.expiry_announced || self.expires_at <= now => InvitationState::Expired,
            None => InvitationState::Pending,
        }
    }

    /// Whether what it asks for can be narrowed but not refused: the cloud requires it, or it asks for nothing else.
    pub fn must_grant(&self, rules: &CloudPolicy) -> bool {
        rules.delegated_admin == Requirement::Required || self.is_grant()
    }

    /// It, answered.
    pub fn answered(self, answer: Answer) -> Self {
        Self { answer: Some(answer), version: self.version + 1, ..self }
    }

    /// Its next event.
    pub fn event<const N: usize>(
        &self,
        event_type: EventType,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Event {
        let subject = Subject {
            invitation_id: Some(self.invitation_id.clone()),
            partner_id: Some(self.partner_id.clone()),
            customer_tenant_id: Some(self.customer.clone()),
            ..Subject::default()
        };
        Event::next(event_type, self.invitation_id.as_str(), &self.chain, subject, occurrence, data)
    }

    /// The period of the relationship that acceptance at `decided_at` starts (kind reseller) or belongs to (kind grant).
    pub fn period_at(&self, decided_at: Timestamp) -> (InvitationId, Timestamp) {
        self.period.clone().unwrap_or_else(|| (self.invitation_id.clone(), decided_at))
    }

    /// The grant that acceptance starts.
    pub fn grant(&self, granted: &DelegatedAdmin, decided_at: Timestamp, extension_days: u32) -> Grant {
        Grant {
            grant_id: GrantId::of(&self.invitation_id),
            partner_id: self.partner_id.clone(),
            customer: self.customer.clone(),
            admin: granted.clone(),
            starts_at: decided_at,
            extension_days: if granted.auto_extend { extension_days } else { 0 },
            period: self.period_at(decided_at).0,
            ended_at: None,
            chain: Chain::default(),
        }
    }
}
