use domain::{InvitationId, Session, TenantId, Timestamp};

platform::views! {
    pub(crate) struct SignInStartedView {
        /// The page of the customer's identity provider. Open it in the same browser.
        pub(crate) authorize_url: String,
    }

    /// A new session.
    pub(crate) struct NewSessionView {
        pub(crate) session: SessionView,
        /// The invitation from whose page the sign-in was started.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(crate) invitation_id: Option<InvitationId>,
        /// The time of this response, to compare with.
        pub(crate) now: Timestamp,
    }

    /// The session of a customer's administrator. The person's name and email address are as the identity provider shows them,
    /// and prove nothing.
    pub(crate) struct SessionView {
        pub(crate) tenant_id: TenantId,
        /// The name of the customer.
        pub(crate) customer_name: String,
        /// The person's name.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(crate) name: Option<String>,
        /// The person's email address.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(crate) email: Option<String>,
        /// From this time on the session is rejected.
        pub(crate) expires_at: Timestamp,
    }

    pub(crate) struct SignedOutView {
        /// Where the person can also sign out of the identity provider.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(crate) sign_out_url: Option<String>,
    }
}

impl SessionView {
    pub(crate) fn new(session: &Session, customer_name: String) -> Self {
        Self {
            tenant_id: session.tenant.clone(),
            customer_name,
            name: session.name.clone(),
            email: session.email.clone(),
            expires_at: session.expires_at,
        }
    }
}
