//! Parts of the `data` of events. They are stored and hashed, so they are separate from the responses of the API.

use serde::Serialize;

use super::{
    CallerKind, DelegatedAdmin, Grant, GrantId, GrantState, PartnerStatus, Principal, RelationshipState, Timestamp,
};

/// Delegated administration that an invitation asks for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DelegatedAdminData {
    pub roles: Vec<String>,
    /// `P<days>D`.
    pub duration: String,
    pub auto_extend: bool,
}

impl From<&DelegatedAdmin> for DelegatedAdminData {
    fn from(asked: &DelegatedAdmin) -> Self {
        Self { roles: asked.roles.clone(), duration: format!("P{}D", asked.days), auto_extend: asked.auto_extend }
    }
}

/// The grant that an acceptance starts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GrantData {
    pub grant_id: GrantId,
    pub roles: Vec<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub auto_extend: bool,
    pub state: GrantState,
}

impl GrantData {
    pub fn started(grant: &Grant) -> Self {
        let now = grant.starts_at;
        Self {
            grant_id: grant.grant_id.clone(),
            roles: grant.admin.roles.clone(),
            starts_at: grant.starts_at,
            ends_at: grant.effective_end(now, None),
            auto_extend: grant.admin.auto_extend,
            state: grant.state(now, None, PartnerStatus::Active),
        }
    }
}

/// The relationship that an acceptance starts or belongs to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RelationshipData {
    pub state: RelationshipState,
    pub since: Timestamp,
}

/// The owner of an issued key. Operators have no `id`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PrincipalData {
    pub kind: CallerKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl From<&Principal> for PrincipalData {
    fn from(principal: &Principal) -> Self {
        Self { kind: principal.kind(), id: principal.id().map(str::to_owned) }
    }
}
