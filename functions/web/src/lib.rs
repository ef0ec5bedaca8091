//! What anyone can read without a key: the pages, their files, the API's documentation, and the policy in force.

mod assets;
mod documents;
mod pages;
mod text;

use platform::config::Needs;
use platform::handler::views::PolicyView;
use platform::handler::{Anyone, Context, Found, Nothing};
use platform::http_api::Problem;
use platform::lambda::Function;

pub const FUNCTION: Function = Function {
    name: "web",
    routes: platform::routes! {
        /// Open the page of an invitation's link.
        "GET /i/{invitation_id}" => pages::invitation, computes [];
        /// Check that the page of an invitation's link can be opened.
        "HEAD /i/{invitation_id}" => pages::invitation, computes [];
        /// Open a customer's page.
        "GET /c/{tenant_id}" => pages::customer, computes [];
        /// Check that a customer's page can be opened.
        "HEAD /c/{tenant_id}" => pages::customer, computes [];
        /// Open a partner's page.
        "GET /p/{partner_id}" => pages::partner, computes [];
        /// Check that a partner's page can be opened.
        "HEAD /p/{partner_id}" => pages::partner, computes [];
        /// Open the page to which a sign-in returns.
        "GET /signed-in/{cloud}" => pages::signed_in, computes [];
        /// Check that the page to which a sign-in returns can be opened.
        "HEAD /signed-in/{cloud}" => pages::signed_in, computes [];
        /// Get a file of the pages: a script, a style sheet, words or the icon.
        "GET /assets/{file}" => assets::asset, computes [NotFound];
        /// Check that a file of the pages exists.
        "HEAD /assets/{file}" => assets::asset, computes [NotFound];
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
