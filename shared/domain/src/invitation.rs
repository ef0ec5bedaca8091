//! An invitation: pending, then accepted, declined or cancelled. `expired` is computed from its time (MP-17).

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use super::{AcceptProof, CancelReason, RelationshipState, RequiredProof};
use super::{
    Chain, CloudPolicy, DecisionKind, DelegatedAdmin, Event, EventType, Grant, GrantId, InvitationId, InvitationKind,
    InvitationState, Occurrence, PartnerId, Proof, Requirement, Subject, TenantId, Timestamp, digest,
};

/// The person who accepted, as that person stated it. A link proves nothing about the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedBy {
    pub name: String,
    pub email: String,
    /// Prevents guessing the person from [`AcceptedBy::digest`]. Erased together with the name and email.
    pub salt: [u8; 16],
}

impl AcceptedBy {
    /// 128 bits of a salted hash, which events contain instead of the person. After name, email and salt are erased it reveals
    /// nothing, and the chain of events is still valid.
    pub fn digest(&self) -> String {
        let hash = digest("accepted by", &[&self.salt, self.name.as_bytes(), self.email.as_bytes()]);
        BASE64URL_NOPAD.encode(&hash[..16])
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Accepted {
        /// `None` if nothing was asked for, or all of it was refused.
        granted: Option<DelegatedAdmin>,
        /// `None` if the person was erased.
        accepted_by: Option<AcceptedBy>,
    },
    Declined {
        /// Free text of the customer.
        reason: Option<String>,
    },
    Cancelled {
        /// Why, if the partner did not cancel it itself.
        reason: Option<CancelReason>,
    },
}

impl Decision {
    pub fn kind(&self) -> DecisionKind {
        match self {
            Self::Accepted { .. } => DecisionKind::Accepted,
            Self::Declined { .. } => DecisionKind::Declined,
            Self::Cancelled { .. } => DecisionKind::Cancelled,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub decision: Decision,
    pub decided_at: Timestamp,
    /// What proved who answered or cancelled.
    pub proof: Proof,
}

impl Answer {
    /// The answer without the texts about persons.
    fn erased(&self) -> Self {
        let decision = match &self.decision {
            Decision::Accepted { granted, .. } => Decision::Accepted { granted: granted.clone(), accepted_by: None },
            Decision::Declined { .. } => Decision::Declined { reason: None },
            cancelled @ Decision::Cancelled { .. } => cancelled.clone(),
        };
        Self { decision, ..self.clone() }
    }

    /// The names of the texts about persons.
    fn personal(&self) -> Option<&'static str> {
        match &self.decision {
            Decision::Accepted { accepted_by, .. } => accepted_by.as_ref().map(|_| "accepted_by"),
            Decision::Declined { reason } => reason.as_ref().map(|_| "reason"),
            Decision::Cancelled { .. } => None,
        }
    }
}

/// An invitation to a relationship, or to a grant within one.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
    pub invitation_id: InvitationId,
    pub kind: InvitationKind,
    pub partner_id: PartnerId,
    /// The partner's name when the invitation was created.
    pub partner_name: String,
    pub customer: TenantId,
    /// What the partner asks for.
    pub delegated_admin: Option<DelegatedAdmin>,
    /// The partner's message to the customer.
    pub message: Option<String>,
    /// A contact at the customer. Only for the partner and the operator.
    pub contact_email: Option<String>,
    /// The partner's own reference. Only for the partner and the operator.
    pub external_reference: Option<String>,
    pub created_at: Timestamp,
    /// From this time on the invitation cannot be answered.
    pub expires_at: Timestamp,
    pub answer: Option<Answer>,
    /// When its personal texts were erased for the last time. A renewal and an answer can add new ones.
    pub erased_at: Option<Timestamp>,
    /// Whether `invitation.expired` was written. Then the invitation is expired, even if the clock is behind.
    pub expiry_announced: bool,
    /// Grows by one with every change.
    pub version: u64,
    /// The version of the policy under which it was created.
    pub policy_version: u32,
    /// Grows by one with every renewal. The token of the link is derived from it.
    pub token_generation: u32,
    /// The number of the master key from which the token is derived.
    pub key_number: u32,
    /// SHA-256 of the token of the link.
    pub token_hash: [u8; 32],
    /// SHA-256 of the members of the last request that renewed it. A concurrent one with the same gets the same link.
    pub renewal: Option<[u8; 32]>,
    /// SHA-256 of the members of the request that created it. A repeat with the same idempotency key must have the same.
    pub fingerprint: [u8; 32],
    /// Kind grant: the period of the relationship that it belongs to, and when that started.
    pub period: Option<(InvitationId, Timestamp)>,
    pub chain: Chain,
}

impl Invitation {
    pub fn is_grant(&self) -> bool {
        self.kind == InvitationKind::Grant
    }

    pub fn state(&self, now: Timestamp) -> InvitationState {
        match self.answer.as_ref().map(|answer| &answer.decision) {
            Some(Decision::Accepted { .. }) => InvitationState::Accepted,
            Some(Decision::Declined { .. }) => InvitationState::Declined,
            Some(Decision::Cancelled { .. }) => InvitationState::Cancelled,
            None if self.expiry_announced || self.expires_at <= now => InvitationState::Expired,
            None => InvitationState::Pending,
        }
    }

    /// Whether delegated administration can be narrowed but not refused: the cloud requires it, or the invitation asks for
    /// nothing else.
    pub fn must_grant(&self, rules: &CloudPolicy) -> bool {
        rules.delegated_admin == Requirement::Required || self.is_grant()
    }

    /// What an acceptance must prove if the relationship is in this state. Starting again a relationship that has ended needs
    /// the customer itself, no matter who ended it: otherwise a partner could undo the end with its own link.
    pub fn accept_proof(&self, rules: &CloudPolicy, relationship: RelationshipState) -> AcceptProof {
        let starts_again = !self.is_grant() && relationship == RelationshipState::Ended;
        let by_policy = rules.accept_proof;
        AcceptProof {
            relationship: if starts_again { RequiredProof::Customer } else { by_policy.relationship },
            ..by_policy
        }
    }

    /// Returns the invitation with the answer applied.
    #[must_use]
    pub fn with_answer(self, answer: Answer) -> Self {
        Self { answer: Some(answer), version: self.version + 1, ..self }
    }

    /// The names of the personal texts that it has: what can be erased.
    pub fn personal(&self) -> Vec<&'static str> {
        let of_partner = [
            self.message.as_ref().map(|_| "message"),
            self.contact_email.as_ref().map(|_| "contact_email"),
            self.answer.as_ref().and_then(Answer::personal),
        ];
        of_partner.into_iter().flatten().collect()
    }

    /// The invitation without its personal texts. Its version stays, because it asks for the same as before.
    #[must_use]
    pub fn erased(&self, now: Timestamp) -> Self {
        let answer = self.answer.as_ref().map(Answer::erased);
        Self { message: None, contact_email: None, answer, erased_at: Some(now), renewal: None, ..self.clone() }
    }

    /// The next event of this invitation.
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

    /// The period of the relationship that an acceptance at `decided_at` starts (kind reseller) or belongs to (kind grant), and
    /// its start.
    pub fn period_at(&self, decided_at: Timestamp) -> (InvitationId, Timestamp) {
        self.period.clone().unwrap_or_else(|| (self.invitation_id.clone(), decided_at))
    }

    /// The grant that an acceptance starts. `extension_days` are used if the grant extends itself.
    pub fn grant(&self, granted: &DelegatedAdmin, decided_at: Timestamp, extension_days: u32) -> Grant {
        Grant {
            grant_id: GrantId::from_invitation(&self.invitation_id),
            partner_id: self.partner_id.clone(),
            customer: self.customer.clone(),
            admin: granted.clone(),
            starts_at: decided_at,
            fixed_end: None,
            extension_days: if granted.auto_extend { extension_days } else { 0 },
            period: self.period_at(decided_at).0,
            ended_at: None,
            chain: Chain::default(),
        }
    }
}
