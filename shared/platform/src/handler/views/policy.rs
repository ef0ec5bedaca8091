use domain::{Policy, PolicyVersion, Timestamp};

crate::views! {
    /// The policy in force.
    pub struct PolicyView {
        #[serde(flatten)]
        pub current: PolicyVersion,
        /// Versions that come into force later, soonest first.
        pub upcoming: Vec<PolicyVersion>,
    }
}

impl PolicyView {
    pub fn new(policy: &Policy, now: Timestamp) -> Self {
        Self { current: policy.at(now).clone(), upcoming: policy.upcoming(now).into_iter().cloned().collect() }
    }
}
