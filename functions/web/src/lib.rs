//! What anyone may read without a key: the page of an invitation's link, and the policy in force.

use std::sync::LazyLock;

use data_encoding::BASE64;
use platform::config::Needs;
use platform::handler::views::PolicyView;
use platform::handler::{Anyone, Context, Found, Html, Nothing};
use platform::http_api::{Problem, Response};
use platform::lambda::Function;
use sha2::{Digest, Sha256};

pub const FUNCTION: Function = Function {
    name: "web",
    routes: platform::routes! {
        /// Open the page of an invitation's link.
        "GET /i/{invitation_id}" => page, computes [];
        /// Check that the page of an invitation's link can be opened.
        "HEAD /i/{invitation_id}" => page, computes [];
        /// Get the policy in force, and its later versions.
        "GET /v1/policy" => policy, computes [];
    },
    needs: Needs::NOTHING,
};

/// The same bytes for every id, so that the page does not reveal which ids exist. Opening it changes nothing.
const PAGE: &str = include_str!("page.html");

async fn policy(context: Context, _: Anyone, _: Nothing) -> Result<Found<PolicyView>, Problem> {
    Ok(Found(PolicyView::new(&context.app.policy, context.now())))
}

/// Allows only the page's one style sheet.
static CONTENT_SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        style_hash(PAGE)
    )
});

async fn page(_: Context, _: Anyone, _: Nothing) -> Result<Html, Problem> {
    let headers = vec![
        ("content-type", "text/html; charset=utf-8".to_owned()),
        ("content-security-policy", CONTENT_SECURITY_POLICY.clone()),
        ("referrer-policy", "no-referrer".to_owned()),
        ("x-frame-options", "DENY".to_owned()),
        ("cross-origin-opener-policy", "same-origin".to_owned()),
        ("cross-origin-resource-policy", "same-origin".to_owned()),
        ("x-robots-tag", "noindex".to_owned()),
    ];
    Ok(Html(Response { status: 200, headers, body: PAGE.to_owned() }))
}

/// The hash by which the content security policy knows the page's one style sheet (CSP Level 3 §6.7.3.3).
fn style_hash(page: &str) -> String {
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    BASE64.encode(&Sha256::digest(style.map_or("", |(style, _)| style).as_bytes()))
}
