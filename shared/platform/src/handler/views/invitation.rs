use crate::store::Parties;
use domain::{
    AcceptProof, AcceptedBy, Answer, Cloud, CloudPolicy, Decision, DecisionKind, DelegatedAdmin, Invitation,
    InvitationId, InvitationKind, InvitationState, Market, Partner, PartnerId, PartnerStatus, Proof, RelationshipState,
    RequiredProof, TenantId, Timestamp,
};

use super::{GrantView, RelationshipStartView, SignInView, Viewer};

crate::views! {
    /// Delegated administration: asked for in an invitation, or granted in an answer.
    pub struct DelegatedAdminView {
        /// Directory roles, sorted.
        pub roles: Vec<String>,
        /// `P<days>D`, in days of 24 hours.
        pub duration: String,
        /// Whether the grant extends itself at its end.
        pub auto_extend: bool,
    }

    /// What an answer granted; `null` if nothing.
    #[serde(untagged)]
    pub enum GrantedView {
        Roles(DelegatedAdminView),
        Nothing,
    }

    /// The person who accepted, as that person stated it.
    pub struct AcceptedByView {
        pub name: String,
        pub email: String,
    }

    /// The answer to an invitation.
    pub struct AnswerView {
        pub decision: DecisionKind,
        pub decided_at: Timestamp,
        /// Only if the invitation was accepted.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub delegated_admin: Option<GrantedView>,
        /// The customer's reason for declining, or `relationship_ended` if the end of the relationship cancelled the invitation.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub reason: Option<String>,
        /// Not shown to the holder of a link. Absent if the operator has erased it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub accepted_by: Option<AcceptedByView>,
        /// What proved who answered. For `cancelled`: who cancelled the invitation or ended the relationship.
        pub proof: Proof,
    }

    pub struct InvitationView {
        pub invitation_id: InvitationId,
        pub kind: InvitationKind,
        pub state: InvitationState,
        pub partner_id: PartnerId,
        /// The partner's name when it created the invitation.
        pub partner_name: String,
        pub customer_tenant_id: TenantId,
        /// Delegated administration that the partner asks for.
        pub delegated_admin: Option<DelegatedAdminView>,
        /// The partner's message to the customer.
        pub message: Option<String>,
        /// A contact at the customer. Shown only to the partner and the operator.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub contact_email: Option<String>,
        /// The partner's own reference. Shown only to the partner and the operator.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub external_reference: Option<String>,
        pub created_at: Timestamp,
        /// From this time on the invitation cannot be answered.
        pub expires_at: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub answer: Option<AnswerView>,
        /// Grows by one with every change.
        pub version: u64,
        /// The version of the policy under which the invitation was created.
        pub policy_version: u32,
    }

    pub struct InvitationResponse {
        pub invitation: InvitationView,
    }

    pub struct InvitationLinkView {
        pub invitation: InvitationView,
        /// The current link, while the invitation is pending.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub accept_url: Option<String>,
    }

    /// The first response to an acceptance. A repeat gets the same bytes.
    pub struct AcceptanceView {
        pub invitation: InvitationView,
        pub relationship: RelationshipStartView,
        /// `null` when nothing was asked for, or everything was refused.
        pub grant: Option<GrantView>,
    }

    /// The partner that invites, as the customer sees it.
    pub struct InvitingPartnerView {
        pub name: String,
        /// DNS domain, lower case, in ASCII. The operator has checked it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub domain: Option<String>,
        pub cloud: Cloud,
        pub market: Market,
        /// While the partner is suspended, its invitations cannot be accepted.
        pub status: PartnerStatus,
    }

    /// The customer that is invited.
    pub struct InvitedCustomerView {
        pub name: String,
    }

    /// What the customer sees before it answers.
    pub struct PreviewView {
        pub invitation: InvitationView,
        pub partner: InvitingPartnerView,
        pub customer: InvitedCustomerView,
        /// Whether delegated administration can be narrowed but not refused.
        pub requires_delegated_admin: bool,
        /// What accepting this invitation must prove now.
        pub accept_proof: AcceptProof,
        /// Where the customer's administrator can sign in; `null` if this deployment has no sign-in for the cloud.
        pub sign_in: Option<SignInView>,
        /// The time of this response. A page shows remaining time by it, not by the clock of the device.
        pub now: Timestamp,
    }
}

impl DelegatedAdminView {
    pub fn new(admin: &DelegatedAdmin) -> Self {
        Self { roles: admin.roles.clone(), duration: format!("P{}D", admin.days), auto_extend: admin.auto_extend }
    }
}

impl GrantedView {
    pub fn new(granted: Option<&DelegatedAdmin>) -> Self {
        granted.map_or(Self::Nothing, |granted| Self::Roles(DelegatedAdminView::new(granted)))
    }
}

impl AcceptedByView {
    pub fn new(person: &AcceptedBy) -> Self {
        Self { name: person.name.clone(), email: person.email.clone() }
    }
}

impl AnswerView {
    pub fn new(answer: &Answer, viewer: Viewer) -> Self {
        let (delegated_admin, reason, accepted_by) = match &answer.decision {
            Decision::Accepted { granted, accepted_by } => {
                let person = accepted_by.as_ref().filter(|_| viewer != Viewer::Link).map(AcceptedByView::new);
                (Some(GrantedView::new(granted.as_ref())), None, person)
            }
            Decision::Declined { reason } => (None, reason.clone(), None),
            Decision::Cancelled { reason } => (None, reason.map(|reason| reason.to_string()), None),
        };
        let decision = answer.decision.kind();
        Self { decision, decided_at: answer.decided_at, delegated_admin, reason, accepted_by, proof: answer.proof }
    }
}

impl InvitationView {
    pub fn new(invitation: &Invitation, now: Timestamp, viewer: Viewer) -> Self {
        let of_partner = |text: &Option<String>| text.clone().filter(|_| viewer.sees_partners_notes());
        Self {
            invitation_id: invitation.invitation_id.clone(),
            kind: invitation.kind,
            state: invitation.state(now),
            partner_id: invitation.partner_id.clone(),
            partner_name: invitation.partner_name.clone(),
            customer_tenant_id: invitation.customer.clone(),
            delegated_admin: invitation.delegated_admin.as_ref().map(DelegatedAdminView::new),
            message: invitation.message.clone(),
            contact_email: of_partner(&invitation.contact_email),
            external_reference: of_partner(&invitation.external_reference),
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            answer: invitation.answer.as_ref().map(|answer| AnswerView::new(answer, viewer)),
            version: invitation.version,
            policy_version: invitation.policy_version,
        }
    }
}

impl InvitationResponse {
    pub fn new(invitation: &Invitation, now: Timestamp, viewer: Viewer) -> Self {
        Self { invitation: InvitationView::new(invitation, now, viewer) }
    }
}

impl AcceptanceView {
    /// Depends on nothing but the accepted invitation. `None` while it is not accepted.
    pub fn new(accepted: &Invitation, viewer: Viewer) -> Option<Self> {
        let answer = accepted.answer.as_ref()?;
        let Decision::Accepted { granted, .. } = &answer.decision else { return None };
        let at = answer.decided_at;
        let started = |granted| GrantView::new(&accepted.grant(granted, at, 0), at, None, PartnerStatus::Active);
        Some(Self {
            invitation: InvitationView::new(accepted, at, viewer),
            relationship: RelationshipStartView::new(accepted, at),
            grant: granted.as_ref().map(started),
        })
    }
}

impl InvitingPartnerView {
    pub fn new(partner: &Partner) -> Self {
        Self {
            name: partner.name.clone(),
            domain: partner.domain.clone(),
            cloud: partner.cloud,
            market: partner.market,
            status: partner.status,
        }
    }
}

impl PreviewView {
    /// `rules` are those of the partner's cloud. Without any, the invitation is still shown. `relationship` is the state of the
    /// relationship now.
    pub fn new(
        invitation: &Invitation,
        parties: &Parties,
        rules: Option<&CloudPolicy>,
        sign_in: Option<SignInView>,
        relationship: RelationshipState,
        now: Timestamp,
        viewer: Viewer,
    ) -> Self {
        let link = AcceptProof { relationship: RequiredProof::Link, roles: RequiredProof::Link };
        Self {
            invitation: InvitationView::new(invitation, now, viewer),
            partner: InvitingPartnerView::new(&parties.partner),
            customer: InvitedCustomerView { name: parties.customer.name.clone() },
            requires_delegated_admin: rules.is_some_and(|rules| invitation.must_grant(rules)),
            accept_proof: rules.map_or(link, |rules| invitation.accept_proof(rules, relationship)),
            sign_in,
            now,
        }
    }
}
