//! What a deployment is set up with. The policy has the rest.

use std::collections::BTreeMap;

use domain::{Cloud, SignIn};

use super::credential::Credential;
use crate::outbound::Loopback;

/// The settings of every cloud that has sign-in.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub clouds: BTreeMap<Cloud, CloudSettings>,
    /// Whether a provider may be on this machine, without TLS: only in the local run.
    pub loopback: Loopback,
}

/// The settings of one cloud.
#[derive(Clone, Debug)]
pub struct CloudSettings {
    /// The id of the app registration. It is public.
    pub client_id: String,
    /// What proves to the provider that a request is from this deployment. Only the function that redeems codes has it.
    pub credential: Option<Credential>,
    /// An issuer other than the policy's, with `{tenant}`.
    pub issuer: Option<String>,
    /// The address of the sign-in page, with `{tenant}`, for a provider other than Microsoft Entra.
    pub authorize_url: Option<String>,
    /// Roles other than the policy's.
    pub approver_roles: Option<Vec<String>>,
}

impl CloudSettings {
    /// With everything else as in the policy.
    pub fn new(client_id: impl Into<String>, credential: Option<Credential>) -> Self {
        Self { client_id: client_id.into(), credential, issuer: None, authorize_url: None, approver_roles: None }
    }

    /// The policy's rules, with what this deployment changes.
    pub fn rules(&self, policy: &SignIn) -> SignIn {
        SignIn {
            issuer: self.issuer.clone().unwrap_or_else(|| policy.issuer.clone()),
            approver_roles: self.approver_roles.clone().unwrap_or_else(|| policy.approver_roles.clone()),
            max_age_seconds: policy.max_age_seconds,
        }
    }
}
