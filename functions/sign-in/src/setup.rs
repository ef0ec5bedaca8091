//! What this deployment is set up with.

use domain::{Cloud, CloudPolicy};
use platform::handler::Context;
use platform::http_api::{Code, Problem};
use platform::identity::Provider;

/// The identity provider for the customers of a cloud.
///
/// # Errors
/// 409 `sign_in_unavailable`.
pub(crate) fn provider(context: &Context, cloud: Cloud) -> Result<Provider<'_>, Problem> {
    let provider = |rules: &CloudPolicy| context.app.providers.provider(cloud, rules);
    context.policy().cloud(cloud).and_then(provider).ok_or_else(|| {
        let detail =
            format!("No identity provider is set up for the cloud {cloud}. Use an access key of the customer.");
        Problem::new(Code::SignInUnavailable, detail)
    })
}

/// Where the identity provider sends the person back to: one page for each cloud.
pub(crate) fn redirect_uri(context: &Context, cloud: Cloud) -> String {
    format!("{}/signed-in/{cloud}", context.base_url())
}
