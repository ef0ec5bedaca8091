//! The policy: versioned data with effective dates (MP-50). A change of rules or limits is a new version in
//! `shared/domain/policy.json`; the version in force at a command's time is recorded with what it decided (MP-51).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Cloud, Role, Timestamp};

/// The policy file as it is built into the functions.
const BUILT_IN: &str = include_str!("../policy.json");

/// Something a caller's role may or may not allow (MP-03, MP-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Invite a customer.
    CreateInvitation,
    /// Cancel or renew an invitation.
    ManageInvitation,
    /// Register a subscription.
    RegisterSubscription,
    /// End a relationship.
    EndRelationship,
    /// End a grant.
    EndGrant,
    /// Manage webhook endpoints.
    ManageEndpoints,
    /// Read one's own records.
    Read,
}

/// Whether a cloud is served at all (MP-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// It is.
    Allowed,
    /// It is not.
    Denied,
}

/// Whether an invitation must ask for delegated administration (MP-14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// It may.
    Optional,
    /// It must, and the customer can't refuse it alone.
    Required,
}

/// What an answer to an invitation has to prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AcceptProof {
    /// Possession of the link.
    Link,
    /// A key of the customer's own.
    CustomerKey,
}

/// Whether a tenant that itself sells can be a customer (MP-40).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CspTenant {
    /// It can't.
    Refused,
    /// It can.
    Allowed,
}

/// The rules of one cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CloudPolicy {
    /// Whether the feature is served there.
    pub multi_partner: Permission,
    /// Whether delegated administration must be asked for.
    pub delegated_admin: Requirement,
    /// What an answer proves.
    pub accept_proof: AcceptProof,
    /// Whether CSP tenants can be customers.
    pub csp_tenant_as_customer: CspTenant,
}

/// Who may do what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RolePolicy {
    /// The roles that allow an action; an action that is absent is allowed to nobody.
    pub actions: BTreeMap<Action, Vec<Role>>,
    /// The role a signed webhook acts in.
    pub webhook: Role,
    /// The one role of a customer's key.
    pub customer: Role,
    /// The directory roles that a grant can hold.
    pub grant: Vec<String>,
    /// Directory roles whose grants can't extend themselves.
    pub no_auto_extend: Vec<String>,
}

/// Numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Days an invitation is open when the partner doesn't say.
    pub invitation_days_default: u32,
    /// Days an invitation can be open at most.
    pub invitation_days_max: u32,
    /// Invitations per (partner, customer) and UTC day, renewals not counted.
    pub invitations_per_pair_and_day: u32,
    /// Days a grant can run at most.
    pub grant_days_max: u32,
    /// Days by which a grant extends itself.
    pub grant_extension_days: u32,
    /// Characters of a name.
    pub name_characters: usize,
    /// Characters of a message or reason.
    pub message_characters: usize,
    /// The largest quantity of a subscription.
    pub quantity_max: u64,
    /// Items on a page when the caller doesn't say.
    pub page_default: usize,
    /// Items on a page at most.
    pub page_max: usize,
    /// Hours an old signing secret can stay live.
    pub rotation_grace_hours_max: u32,
    /// Webhook endpoints that one owner can have.
    pub endpoints_max: usize,
}

/// One version of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyVersion {
    /// Its number; later versions have higher ones.
    pub version: u32,
    /// RFC 3339 time from which it is in force.
    pub effective_from: String,
    /// Rules per cloud; a cloud that is absent is not served.
    pub clouds: BTreeMap<Cloud, CloudPolicy>,
    /// Who may do what.
    pub roles: RolePolicy,
    /// Numbers.
    pub limits: Limits,
}

impl PolicyVersion {
    /// The rules of a cloud; `None` when the cloud is not served (MP-01).
    pub fn cloud(&self, cloud: Cloud) -> Option<&CloudPolicy> {
        self.clouds.get(&cloud).filter(|rules| rules.multi_partner == Permission::Allowed)
    }

    /// The first role, in the policy's order, that allows the action and that the caller has (MP-04).
    pub fn permitted_role(&self, action: Action, roles: &[Role]) -> Option<Role> {
        self.roles.actions.get(&action)?.iter().copied().find(|role| roles.contains(role))
    }
}

/// All versions, oldest first.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    versions: Vec<PolicyVersion>,
    #[serde(skip)]
    from: Vec<Timestamp>,
}

/// What is wrong with a policy file.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is not JSON of this shape.
    #[error("the policy file cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
    /// Its versions or dates are not in rising order, or there are none.
    #[error("the policy file needs versions and dates in rising order, and at least one")]
    Order,
}

impl Policy {
    /// The policy that is built in.
    ///
    /// # Errors
    /// [`PolicyError`] when the file is broken; a test holds that it is not.
    pub fn built_in() -> Result<Self, PolicyError> {
        Self::parse(BUILT_IN)
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// [`PolicyError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut policy: Self = serde_json::from_str(text)?;
        let from: Option<Vec<_>> = policy.versions.iter().map(|v| Timestamp::parse(&v.effective_from)).collect();
        policy.from = from.filter(|from| !from.is_empty()).ok_or(PolicyError::Order)?;
        let rising =
            policy.versions.is_sorted_by(|a, b| a.version < b.version) && policy.from.is_sorted_by(|a, b| a < b);
        if rising { Ok(policy) } else { Err(PolicyError::Order) }
    }

    /// The version in force at a time (the first one before that).
    pub fn at(&self, now: Timestamp) -> &PolicyVersion {
        let index = self.from.iter().rposition(|from| *from <= now).unwrap_or(0);
        &self.versions[index]
    }

    /// A version by its number; what a decision was made under can be read again with it.
    pub fn version(&self, number: u32) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.version == number)
    }

    /// The versions that come into force later.
    pub fn upcoming(&self, now: Timestamp) -> Vec<&PolicyVersion> {
        self.versions.iter().zip(&self.from).filter(|(_, from)| **from > now).map(|(version, _)| version).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_versions() -> String {
        let mut file: serde_json::Value = serde_json::from_str(BUILT_IN).unwrap();
        let mut second = file["versions"][0].clone();
        second["version"] = 2.into();
        second["effective_from"] = "2027-01-01T00:00:00.000Z".into();
        second["limits"]["invitation_days_max"] = 60.into();
        file["versions"].as_array_mut().unwrap().push(second);
        file.to_string()
    }

    #[test]
    fn the_built_in_policy_is_sound() {
        let policy = Policy::built_in().unwrap();
        let version = policy.at(Timestamp::from_millis(i64::MAX));
        assert!(version.roles.no_auto_extend.iter().all(|role| version.roles.grant.contains(role)));
        assert_eq!(version.cloud(Cloud::UsGov).unwrap().delegated_admin, Requirement::Required);
    }

    #[test]
    fn a_version_is_in_force_from_its_date_and_announced_before() {
        let policy = Policy::parse(&two_versions()).unwrap();
        let change = Timestamp::parse("2027-01-01T00:00:00.000Z").unwrap();
        assert_eq!(policy.at(change.plus_millis(-1)).version, 1);
        assert_eq!(policy.upcoming(change.plus_millis(-1)).len(), 1);
        assert_eq!(policy.at(change).limits.invitation_days_max, 60);
        assert!(policy.upcoming(change).is_empty());
    }

    #[test]
    fn versions_out_of_order_and_unknown_members_are_refused() {
        assert!(Policy::parse(&two_versions().replace("2027-01-01", "2019-01-01")).is_err());
        assert!(Policy::parse(&two_versions().replace("quantity_max", "quantity_maximum")).is_err());
        assert!(Policy::parse(r#"{"versions":[]}"#).is_err());
    }
}
