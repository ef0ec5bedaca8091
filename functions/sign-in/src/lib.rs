//! Signing in a customer's administrator at the identity provider of the customer's own tenant. What is known about a started
//! sign-in is in a cookie. The table gets a session only for a person who has proven to be an administrator of the customer.

mod begin;
mod body;
mod create;
mod end;
mod started;
mod views;

use domain::{Cloud, CloudPolicy};
use platform::config::Needs;
use platform::handler::Context;
use platform::http_api::{Code, Problem};
use platform::identity::Provider;
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
    needs: Needs { sign_in: true, ..Needs::TABLE_AND_KEYS },
};

/// The identity provider for the customers of a cloud.
///
/// # Errors
/// 409 `sign_in_unavailable`.
fn provider(context: &Context, cloud: Cloud) -> Result<Provider<'_>, Problem> {
    let provider = |rules: &CloudPolicy| context.app.providers.provider(cloud, rules);
    context.policy().cloud(cloud).and_then(provider).ok_or_else(|| {
        let detail =
            format!("No identity provider is set up for the cloud {cloud}. Use an access key of the customer.");
        Problem::new(Code::SignInUnavailable, detail)
    })
}

/// Where the identity provider sends the person back to: one page for each cloud.
fn redirect_uri(context: &Context, cloud: Cloud) -> String {
    format!("{}/signed-in/{cloud}", context.base_url())
}
