//! Sessions: a customer's administrator who signed in at the customer's own identity provider.

use std::time::Duration;

use super::{PersonId, SessionId, TenantId, Timestamp};

/// A session as the table has it: the hash of its cookie, not the cookie itself.
#[derive(Clone, PartialEq)]
pub struct Session {
    pub session_id: SessionId,
    /// SHA-256 of the cookie's value.
    pub hash: [u8; 32],
    pub tenant: TenantId,
    pub person: PersonId,
    /// As the identity provider shows the person. Only for display: both can be changed, and prove nothing.
    pub name: Option<String>,
    /// As [`Session::name`].
    pub email: Option<String>,
    /// The template id of the directory role that was proven.
    pub approver_role: String,
    /// Where the person can sign out of the identity provider.
    pub sign_out_url: Option<String>,
    /// The tenant's state when the session began. The session ends when it changes.
    pub state: SignInState,
    pub created_at: Timestamp,
    /// From this time on it is rejected.
    pub expires_at: Timestamp,
    /// When it was ended before that time.
    pub ended_at: Option<Timestamp>,
}

/// What a tenant's sessions depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInState {
    /// How often an operator has ended all sessions of the tenant.
    pub generation: u64,
    /// Whether the tenant is enrolled as a partner.
    pub is_partner: bool,
}

impl Session {
    /// How long a session lives. Using it does not extend it.
    pub const LIFE: Duration = Duration::from_secs(15 * 60);

    /// Whether it is accepted, as far as the session itself says.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

/// The name and the email address are personal, so neither shows.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("session_id", &self.session_id).finish_non_exhaustive()
    }
}
