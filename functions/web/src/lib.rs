//! What anyone can read without a key: the page of an invitation's link, the API's documentation, and the policy in force.

mod documents;
mod page;

use platform::config::Needs;
use platform::handler::views::PolicyView;
use platform::handler::{Anyone, Context, Found, Nothing};
use platform::http_api::Problem;
use platform::lambda::Function;

pub const FUNCTION: Function = Function {
    name: "web",
    routes: platform::routes! {
        /// Open the page of an invitation's link.
        "GET /i/{invitation_id}" => page::invitation, computes [];
        /// Check that the page of an invitation's link can be opened.
        "HEAD /i/{invitation_id}" => page::invitation, computes [];
        /// Get the policy in force, and its later versions.
        "GET /v1/policy" => policy, computes [];
        /// Get the OpenAPI document of this API.
        "GET /openapi.json" => documents::openapi, computes [];
        /// Open the reference of this API as a page.
        "GET /docs" => documents::reference, computes [];
    },
    needs: Needs::NOTHING,
};

async fn policy(context: Context, _: Anyone, _: Nothing) -> Result<Found<PolicyView>, Problem> {
    Ok(Found(PolicyView::new(&context.app.policy, &context.app.providers, context.now())))
}
