use domain::{Cloud, CloudPolicy, Policy, PolicyVersion, Timestamp};

use crate::identity::Providers;

crate::views! {
    /// The policy in force.
    pub struct PolicyView {
        #[serde(flatten)]
        pub current: PolicyVersion,
        /// Versions that come into force later, soonest first.
        pub upcoming: Vec<PolicyVersion>,
    }

    /// Where the customer's administrator can sign in.
    pub struct SignInView {
        /// The host of the sign-in page.
        pub host: String,
        /// The directory roles whose holders may act for the customer, by template id. One of them is enough.
        pub approver_roles: Vec<String>,
    }
}

impl PolicyView {
    /// As this deployment applies it: sign-in is shown only for clouds for which it is set up.
    pub fn new(policy: &Policy, providers: &Providers, now: Timestamp) -> Self {
        let applied = |version: &PolicyVersion| {
            let mut version = version.clone();
            for (cloud, rules) in &mut version.clouds {
                rules.sign_in = providers.provider(*cloud, rules).map(|provider| provider.rules().clone());
            }
            version
        };
        Self { current: applied(policy.at(now)), upcoming: policy.upcoming(now).into_iter().map(applied).collect() }
    }
}

impl SignInView {
    /// `None` if this deployment has no sign-in for the cloud.
    pub fn new(providers: &Providers, cloud: Cloud, rules: &CloudPolicy) -> Option<Self> {
        let provider = providers.provider(cloud, rules)?;
        Some(Self { host: provider.host(), approver_roles: provider.rules().approver_roles.clone() })
    }
}
