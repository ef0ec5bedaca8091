//! Signing in a customer's administrator at the identity provider of the customer's own tenant. What is known about a started
//! sign-in is in a cookie. The table gets a session only for a person who has proven to be an administrator of the customer.

mod begin;
mod body;
mod create;
mod end;
mod setup;
mod started;
mod views;

use platform::config::Needs;
use platform::identity::Credential;
use platform::lambda::Function;

pub const FUNCTION: Function = Function {
    name: "sign-in",
    routes: platform::routes! {
        /// Start to sign in as an administrator of a customer: get the address of the identity provider's page.
        "POST /v1/sign-in" => begin::begin, computes [SignInUnavailable];
        /// Finish signing in with the code that the identity provider returned. Sets the session's cookie.
        "POST /v1/sessions" => create::create, writes [
            ApproverNotHome, CloudMismatch, CustomerUnknown, NotAnApprover, ProviderUnavailable, SignInExpired, SignInFailed,
            SignInUnavailable,
        ];
        /// Sign out: end this browser's session.
        "DELETE /v1/sessions/current" => end::end, writes_own [];
    },
    needs: Needs { credential: Some(Credential::parse), ..Needs::TABLE_AND_KEYS },
};
