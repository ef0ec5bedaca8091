//! Why a sign-in failed.

use crate::outbound::FetchError;

/// Why there is no [`Person`](super::Person). The first two say nothing about any person. The last two are only for the person
/// whom the token is about, who has proven to be that person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The code or the token was refused: `sign_in_failed`.
    #[error("the sign-in failed the check {0}")]
    Failed(Check),
    /// The provider did not respond, or not as it should: `provider_unavailable`.
    #[error("the identity provider failed at {0}: {1}")]
    ProviderUnavailable(Step, &'static str),
    /// A guest, a member whose home is elsewhere, or a person without an account: `approver_not_home`.
    #[error("the person is not at home in the tenant: {0}")]
    NotHome(Check),
    /// None of the accepted directory roles is proven: `not_an_approver`.
    #[error("the person has no role that may act for the customer")]
    NotAnApprover,
}

macro_rules! checks {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $vdoc:literal])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[doc = $vdoc])* $variant,)* }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in logs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

checks! {
    /// A check of a sign-in, in the order in which they are made.
    Check {
        /// The browser's return names this issuer, if it names one (RFC 9207).
        Response = "response",
        /// The provider's own document names this issuer, and endpoints on the same server.
        Discovery = "discovery",
        /// The provider accepts the code with the PKCE verifier.
        Code = "code",
        /// The provider accepts the client id and the credential. If not, the settings are wrong.
        Client = "client",
        /// Three parts, `alg` RS256, no `crit`.
        Header = "header",
        /// A key of this issuer has the `kid`.
        Key = "key",
        Signature = "signature",
        /// Every claim has its type, and none occurs twice.
        Claims = "claims",
        Issuer = "iss",
        Tenant = "tid",
        Audience = "aud",
        Expiry = "exp",
        NotBefore = "nbf",
        IssuedAt = "iat",
        Nonce = "nonce",
        Version = "ver",
        Freshness = "auth_time",
        Subject = "sub",
        /// The token names an account of the tenant.
        Account = "oid",
        /// The token does not describe a person without an account.
        Outsider = "altsecid",
        /// A member, not a guest.
        Membership = "acct",
        /// The account's home is the tenant.
        Home = "idp",
    }
    /// A request to the provider.
    Step {
        Discovery = "discovery",
        Token = "token",
        Keys = "keys",
    }
}

impl SignInError {
    pub(super) fn unavailable(step: Step) -> impl Fn(FetchError) -> Self {
        move |error| Self::ProviderUnavailable(step, error.as_str())
    }
}
