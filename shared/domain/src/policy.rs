//! The policy: versioned data with effective dates (MP-50). To change rules or limits, add a version to
//! `shared/domain/policy.json`. Every decision records the version in force at its time (MP-51). In the file, a version without
//! `roles` or `limits` has those of the version before it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::words::words;
use super::{Cloud, Role, TenantId, Timestamp};

const BUILT_IN: &str = include_str!("../policy.json");

words! {
    /// Something that a caller's roles allow or not (MP-03, MP-04). `manage_invitation` is to cancel or renew.
    Action {
        CreateInvitation = "create_invitation",
        ManageInvitation = "manage_invitation",
        RegisterSubscription = "register_subscription",
        EndRelationship = "end_relationship",
        EndGrant = "end_grant",
        ManageEndpoints = "manage_endpoints",
        Read = "read",
    }
    /// Whether a cloud is supported (MP-01).
    Permission {
        Allowed = "allowed",
        Denied = "denied",
    }
    /// Whether an invitation must ask for delegated administration (MP-14). If `required`, the customer cannot refuse it
    /// alone.
    Requirement {
        Optional = "optional",
        Required = "required",
    }
    /// What must be proven: possession of the link, or that the customer itself acts (by its key).
    RequiredProof {
        Link = "link",
        Customer = "customer",
    }
    /// What the holder of a directory role can do: look, change some things, or take control of the directory.
    RoleLevel {
        Read = "read",
        Change = "change",
        Full = "full",
    }
    /// Whether a CSP tenant can be a customer (MP-40).
    CspTenant {
        Refused = "refused",
        Allowed = "allowed",
    }
}

/// What an acceptance must prove, by what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptProof {
    /// To start a relationship. Starting again one that has ended always needs `customer`.
    pub relationship: RequiredProof,
    /// To grant roles.
    pub roles: RequiredProof,
}

/// How a customer's administrator signs in at the customer's own identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The issuer of a tenant's tokens. `{tenant}` stands for the id of the tenant.
    pub issuer: String,
    /// The directory roles whose holders may act for the customer, by template id. One of them is enough.
    pub approver_roles: Vec<String>,
    /// Maximum seconds since the person last entered credentials at the provider.
    pub max_age_seconds: u32,
}

impl SignIn {
    /// Where an issuer names the tenant.
    pub const TENANT: &'static str = "{tenant}";

    /// The issuer of one tenant.
    pub fn issuer_of(&self, tenant: &TenantId) -> String {
        self.issuer.replace(Self::TENANT, tenant.as_str())
    }
}

/// The rules of one cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CloudPolicy {
    /// Whether the cloud is supported.
    pub multi_partner: Permission,
    /// Whether invitations must ask for delegated administration.
    pub delegated_admin: Requirement,
    /// What an acceptance must prove.
    pub accept_proof: AcceptProof,
    pub csp_tenant_as_customer: CspTenant,
    /// How the customer's administrator signs in; `null` if this deployment has no sign-in for the cloud.
    #[serde(default)]
    pub sign_in: Option<SignIn>,
}

/// A built-in directory role that a grant can have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DirectoryRole {
    /// The name in requests and responses.
    pub name: String,
    /// The name that the directory displays.
    pub title: String,
    /// The same in every tenant.
    pub template_id: String,
    pub level: RoleLevel,
    /// What the holder can do, in one sentence.
    pub description: String,
}

/// Which roles may do what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RolePolicy {
    /// The roles that allow an action. An absent action is not allowed.
    pub actions: BTreeMap<Action, Vec<Role>>,
    /// The role in which a signed webhook acts.
    pub webhook: Role,
    /// The only role of a customer's key.
    pub customer: Role,
    /// The directory roles that a grant can have.
    pub grant: Vec<DirectoryRole>,
    /// Directory roles whose grants cannot extend themselves.
    pub no_auto_extend: Vec<String>,
}

/// Limits and defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Days for which an invitation is open by default.
    pub invitation_days_default: u32,
    /// Maximum days for which an invitation is open.
    pub invitation_days_max: u32,
    /// Invitations per partner, customer and UTC day. Renewals do not count.
    pub invitations_per_pair_and_day: u32,
    /// Renewals per partner, customer and UTC day.
    pub renewals_per_pair_and_day: u32,
    /// Maximum days of a grant.
    pub grant_days_max: u32,
    /// Days by which a grant extends itself.
    pub grant_extension_days: u32,
    /// Maximum characters (Unicode scalar values) of a name.
    pub name_characters: usize,
    /// Maximum characters (Unicode scalar values) of a message or reason.
    pub message_characters: usize,
    /// Maximum characters (Unicode scalar values) of an external reference.
    pub external_reference_characters: usize,
    /// Maximum quantity of a subscription.
    pub quantity_max: u64,
    /// Maximum subscriptions in one batch.
    pub subscriptions_per_batch_max: usize,
    /// Items on a page by default.
    pub page_default: usize,
    /// Maximum items on a page.
    pub page_max: usize,
    /// Maximum hours for which an old signing secret stays live.
    pub rotation_grace_hours_max: u32,
    /// Maximum endpoints of one owner.
    pub endpoints_max: usize,
    /// Challenges that one owner's calls may cause in an hour: by creating, changing or testing an endpoint. Automatic
    /// challenges do not count.
    pub endpoint_challenges_per_hour: u32,
    /// Calls per endpoint and minute that resend events.
    pub resends_per_minute: u32,
}

/// One version of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyVersion {
    /// Rises with every version.
    pub version: u32,
    pub effective_from: Timestamp,
    /// Rules for each cloud. An absent cloud is not supported.
    pub clouds: BTreeMap<Cloud, CloudPolicy>,
    pub roles: RolePolicy,
    pub limits: Limits,
}

impl PolicyVersion {
    /// The rules of a cloud; `None` if the cloud is not supported (MP-01).
    pub fn cloud(&self, cloud: Cloud) -> Option<&CloudPolicy> {
        self.clouds.get(&cloud).filter(|rules| rules.multi_partner == Permission::Allowed)
    }

    /// The first role, in the order of the policy, that allows the action and that the caller has (MP-04).
    pub fn permitted_role(&self, action: Action, roles: &[Role]) -> Option<Role> {
        self.roles.actions.get(&action)?.iter().copied().find(|role| roles.contains(role))
    }
}

/// All versions, oldest first; at least one.
#[derive(Clone, Debug)]
pub struct Policy {
    versions: Vec<PolicyVersion>,
}

/// A policy file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    versions: Vec<Entry>,
}

/// A version in a policy file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    version: u32,
    effective_from: Timestamp,
    clouds: BTreeMap<Cloud, CloudPolicy>,
    roles: Option<RolePolicy>,
    limits: Option<Limits>,
}

impl Entry {
    /// The whole version. `None` if this is the first version and something is missing.
    fn complete(self, before: Option<&PolicyVersion>) -> Option<PolicyVersion> {
        Some(PolicyVersion {
            version: self.version,
            effective_from: self.effective_from,
            clouds: self.clouds,
            roles: self.roles.or_else(|| before.map(|before| before.roles.clone()))?,
            limits: self.limits.or_else(|| before.map(|before| before.limits.clone()))?,
        })
    }
}

/// What is wrong with a policy file.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("invalid policy file: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("invalid policy file: at least one version is required, with `version` and `effective_from` rising")]
    Order,
    #[error("invalid policy file: the first version needs `roles` and `limits`")]
    Incomplete,
}

impl Policy {
    /// The policy that is built in.
    ///
    /// # Errors
    /// [`PolicyError`] if the file is invalid. A test checks that it is valid.
    pub fn built_in() -> Result<Self, PolicyError> {
        Self::parse(BUILT_IN)
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: File = serde_json::from_str(text)?;
        let mut versions = Vec::with_capacity(file.versions.len());
        for entry in file.versions {
            let version = entry.complete(versions.last()).ok_or(PolicyError::Incomplete)?;
            versions.push(version);
        }
        let rising = versions.is_sorted_by(|a, b| a.version < b.version && a.effective_from < b.effective_from);
        if rising && !versions.is_empty() { Ok(Self { versions }) } else { Err(PolicyError::Order) }
    }

    /// The version in force at a time. Before the first version's date, that is the first.
    pub fn at(&self, now: Timestamp) -> &PolicyVersion {
        let index = self.versions.iter().rposition(|version| version.effective_from <= now).unwrap_or(0);
        &self.versions[index]
    }

    /// Finds a version by its number, to read a recorded decision again.
    pub fn version(&self, number: u32) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.version == number)
    }

    /// The versions that come into force later, soonest first.
    pub fn upcoming(&self, now: Timestamp) -> Vec<&PolicyVersion> {
        self.versions.iter().filter(|version| version.effective_from > now).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn two_versions() -> String {
        let mut file: serde_json::Value = serde_json::from_str(BUILT_IN).unwrap();
        file["versions"].as_array_mut().unwrap().truncate(1);
        let mut second = file["versions"][0].clone();
        second["version"] = 2.into();
        second["effective_from"] = "2027-01-01T00:00:00.000Z".into();
        second["limits"]["invitation_days_max"] = 60.into();
        file["versions"].as_array_mut().unwrap().push(second);
        file.to_string()
    }

    #[test]
    fn the_built_in_policy_is_valid() {
        let policy = Policy::built_in().unwrap();
        let version = policy.at(Timestamp::from_millis(i64::MAX));
        assert!(
            version.roles.no_auto_extend.iter().all(|role| version.roles.grant.iter().any(|one| one.name == *role))
        );
        assert_eq!(version.cloud(Cloud::UsGov).unwrap().delegated_admin, Requirement::Required);
    }

    /// The numbers are written down again here, so that none of them changes by accident.
    #[test]
    fn the_built_in_limits_are_those_of_the_contract() {
        let policy = Policy::built_in().unwrap();
        let limits = serde_json::to_value(&policy.at(Timestamp::from_millis(i64::MAX)).limits).unwrap();
        let expected = serde_json::json!({
            "invitation_days_default": 30, "invitation_days_max": 90,
            "invitations_per_pair_and_day": 5, "renewals_per_pair_and_day": 20,
            "grant_days_max": 730, "grant_extension_days": 180,
            "name_characters": 100, "message_characters": 1000, "external_reference_characters": 100,
            "quantity_max": 1_000_000_000, "subscriptions_per_batch_max": 40,
            "page_default": 50, "page_max": 100,
            "rotation_grace_hours_max": 24,
            "endpoints_max": 10, "endpoint_challenges_per_hour": 10, "resends_per_minute": 10,
        });
        assert_eq!(limits, expected);
    }

    #[test]
    fn a_version_is_in_force_from_its_date_and_upcoming_before() {
        let policy = Policy::parse(&two_versions()).unwrap();
        let change = Timestamp::parse("2027-01-01T00:00:00.000Z").unwrap();
        assert_eq!(policy.at(change - Duration::from_millis(1)).version, 1);
        assert_eq!(policy.upcoming(change - Duration::from_millis(1)).len(), 1);
        assert_eq!(policy.at(change).limits.invitation_days_max, 60);
        assert!(policy.upcoming(change).is_empty());
    }

    #[test]
    fn a_version_without_roles_or_limits_has_those_of_the_version_before() {
        let policy = Policy::built_in().unwrap();
        let (first, second) = (policy.version(1).unwrap(), policy.version(2).unwrap());
        assert_eq!((&first.roles, &first.limits), (&second.roles, &second.limits));
        for member in ["roles", "limits"] {
            let mut file: serde_json::Value = serde_json::from_str(BUILT_IN).unwrap();
            file["versions"][0].as_object_mut().unwrap().remove(member);
            assert!(matches!(Policy::parse(&file.to_string()), Err(PolicyError::Incomplete)), "{member}");
        }
    }

    #[test]
    fn every_cloud_has_an_issuer_per_tenant_and_only_the_current_version_has_sign_in() {
        let policy = Policy::built_in().unwrap();
        assert!(policy.version(1).unwrap().clouds.values().all(|rules| rules.sign_in.is_none()));
        let tenant = TenantId::parse("C0C0C0C0-0000-4000-8000-000000000001").unwrap();
        let now = policy.at(Timestamp::from_millis(i64::MAX));
        for (cloud, host) in [(Cloud::Public, "login.microsoftonline.com"), (Cloud::UsGov, "login.microsoftonline.us")]
        {
            let sign_in = now.cloud(cloud).unwrap().sign_in.as_ref().unwrap();
            let issuer = format!("https://{host}/c0c0c0c0-0000-4000-8000-000000000001/v2.0");
            assert_eq!(sign_in.issuer_of(&tenant), issuer);
            assert_eq!(sign_in.approver_roles, ["62e90394-69f5-4237-9190-012177145e10"]);
        }
    }

    #[test]
    fn versions_out_of_order_and_unknown_members_are_rejected() {
        assert!(Policy::parse(&two_versions().replace("2027-01-01", "2019-01-01")).is_err());
        assert!(Policy::parse(&two_versions().replace("quantity_max", "quantity_maximum")).is_err());
        assert!(Policy::parse(r#"{"versions":[]}"#).is_err());
    }
}
