use domain::{
    Grant, GrantId, GrantState, Invitation, Partner, PartnerId, PartnerStatus, Proof, Relationship, RelationshipState,
    TenantId, Timestamp,
};

crate::views! {
    pub struct GrantView {
        pub grant_id: GrantId,
        pub partner_id: PartnerId,
        pub customer_tenant_id: TenantId,
        /// Directory roles, sorted.
        pub roles: Vec<String>,
        pub starts_at: Timestamp,
        pub ends_at: Timestamp,
        pub auto_extend: bool,
        pub state: GrantState,
    }

    pub struct RelationshipView {
        pub partner_id: PartnerId,
        pub customer_tenant_id: TenantId,
        pub state: RelationshipState,
        /// Start of the current or last period.
        pub since: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ended_at: Option<Timestamp>,
        /// The partner's own reference, in the response to an import.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub external_reference: Option<String>,
    }

    /// The relationship as it was when an invitation was accepted.
    pub struct RelationshipStartView {
        pub partner_id: PartnerId,
        pub customer_tenant_id: TenantId,
        /// Always `active`.
        pub state: RelationshipState,
        /// Start of the period that the acceptance started or belongs to.
        pub since: Timestamp,
    }

    /// One partner of a customer.
    pub struct PartnerRow {
        pub partner_id: PartnerId,
        pub name: Option<String>,
        pub state: RelationshipState,
        /// While the partner is suspended, its active grants are `suspended`.
        pub partner_status: PartnerStatus,
        /// What proved who accepted the invitation that started this period.
        pub proof: Proof,
        /// Start of the current or last period.
        pub since: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ended_at: Option<Timestamp>,
        pub grants: Vec<GrantView>,
    }

    /// One customer of a partner.
    pub struct CustomerRow {
        pub customer_tenant_id: TenantId,
        pub name: Option<String>,
        pub state: RelationshipState,
        /// While the partner is suspended, its active grants are `suspended`.
        pub partner_status: PartnerStatus,
        /// What proved who accepted the invitation that started this period.
        pub proof: Proof,
        /// Start of the current or last period.
        pub since: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ended_at: Option<Timestamp>,
        /// The partner's own reference, if the relationship was imported with one. Shown only to the partner and the operator.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub external_reference: Option<String>,
        pub grants: Vec<GrantView>,
    }

    pub struct RelationshipResponse {
        pub relationship: RelationshipView,
    }

    pub struct PartnerRowResponse {
        pub relationship: PartnerRow,
    }

    pub struct CustomerRowResponse {
        pub relationship: CustomerRow,
    }

    pub struct GrantResponse {
        pub grant: GrantView,
    }
}

impl GrantView {
    /// `period_end` is the end of the relationship's period that the grant belongs to; `None` while the period is active.
    pub fn new(grant: &Grant, now: Timestamp, period_end: Option<Timestamp>, partner: PartnerStatus) -> Self {
        Self {
            grant_id: grant.grant_id.clone(),
            partner_id: grant.partner_id.clone(),
            customer_tenant_id: grant.customer.clone(),
            roles: grant.admin.roles.clone(),
            starts_at: grant.starts_at,
            ends_at: grant.effective_end(now, period_end),
            auto_extend: grant.admin.auto_extend,
            state: grant.state(now, period_end, partner),
        }
    }

    pub fn in_relationship(relationship: &Relationship, grant: &Grant, now: Timestamp, partner: PartnerStatus) -> Self {
        Self::new(grant, now, relationship.period_end(&grant.period), partner)
    }

    fn all(relationship: &Relationship, grants: &[Grant], now: Timestamp, partner: PartnerStatus) -> Vec<Self> {
        grants.iter().map(|grant| Self::in_relationship(relationship, grant, now, partner)).collect()
    }
}

impl RelationshipView {
    pub fn new(relationship: &Relationship) -> Self {
        Self {
            partner_id: relationship.partner_id.clone(),
            customer_tenant_id: relationship.customer.clone(),
            state: relationship.state,
            since: relationship.since(),
            ended_at: relationship.ended_at,
            external_reference: None,
        }
    }
}

impl RelationshipStartView {
    pub fn new(accepted: &Invitation, decided_at: Timestamp) -> Self {
        Self {
            partner_id: accepted.partner_id.clone(),
            customer_tenant_id: accepted.customer.clone(),
            state: RelationshipState::Active,
            since: accepted.period_at(decided_at).1,
        }
    }
}

impl PartnerRow {
    pub fn new(relationship: &Relationship, grants: &[Grant], partner: Option<&Partner>, now: Timestamp) -> Self {
        let status = partner.map_or(PartnerStatus::Active, |partner| partner.status);
        Self {
            partner_id: relationship.partner_id.clone(),
            name: partner.map(|partner| partner.name.clone()),
            state: relationship.state,
            partner_status: status,
            proof: relationship.proof,
            since: relationship.since(),
            ended_at: relationship.ended_at,
            grants: GrantView::all(relationship, grants, now, status),
        }
    }
}

impl CustomerRow {
    pub fn new(
        relationship: &Relationship,
        grants: &[Grant],
        name: Option<String>,
        partner: PartnerStatus,
        now: Timestamp,
    ) -> Self {
        Self {
            customer_tenant_id: relationship.customer.clone(),
            name,
            state: relationship.state,
            partner_status: partner,
            proof: relationship.proof,
            since: relationship.since(),
            ended_at: relationship.ended_at,
            external_reference: relationship.external_reference.clone(),
            grants: GrantView::all(relationship, grants, now, partner),
        }
    }
}

impl RelationshipResponse {
    pub fn new(relationship: &Relationship) -> Self {
        Self { relationship: RelationshipView::new(relationship) }
    }

    /// As the operator sees it.
    pub fn for_operator(relationship: &Relationship) -> Self {
        let external_reference = relationship.external_reference.clone();
        Self { relationship: RelationshipView { external_reference, ..RelationshipView::new(relationship) } }
    }
}
