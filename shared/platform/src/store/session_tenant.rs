use domain::{SignInState, Tenant};

/// A tenant as its sessions need it.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionTenant {
    pub name: String,
    pub state: SignInState,
}

impl SessionTenant {
    pub(super) fn new(tenant: &Tenant) -> Self {
        Self { name: tenant.name.clone(), state: tenant.sign_in_state() }
    }
}
