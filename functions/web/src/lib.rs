//! What anyone may see: the page behind an invitation's link, and the policy in force.

use std::sync::LazyLock;

use data_encoding::BASE64;
use platform::config::Needs;
use platform::handler::App;
use platform::handler::views::PolicyView;
use platform::http_api::{Problem, Request, Response};
use platform::lambda::Function;
use sha2::{Digest, Sha256};

/// The function.
pub const FUNCTION: Function = Function {
    name: "web",
    routes: platform::routes! {
        "GET /i/{invitation_id}" => page,
        "HEAD /i/{invitation_id}" => page,
        "GET /v1/policy" => policy,
    },
    needs: Needs::NOTHING,
};

/// The page: the same bytes for every id, so that it says nothing about which ids exist, and opening it changes nothing.
const PAGE: &str = include_str!("page.html");

/// `{version,effective_from,clouds,roles,limits,upcoming:[…]}`
async fn policy(app: &App, request: &Request) -> Result<Response, Problem> {
    Response::json(200, &PolicyView::new(&app.policy, request.now))
}

/// Allows the page its one style sheet, and nothing else.
static CONTENT_SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        style_hash(PAGE)
    )
});

async fn page(_: &App, _: &Request) -> Result<Response, Problem> {
    let headers = vec![
        ("content-type", "text/html; charset=utf-8".to_owned()),
        ("content-security-policy", CONTENT_SECURITY_POLICY.clone()),
        ("referrer-policy", "no-referrer".to_owned()),
        ("x-frame-options", "DENY".to_owned()),
        ("cross-origin-opener-policy", "same-origin".to_owned()),
        ("cross-origin-resource-policy", "same-origin".to_owned()),
        ("x-robots-tag", "noindex".to_owned()),
    ];
    Ok(Response { status: 200, headers, body: PAGE.to_owned() })
}

/// The hash by which the content security policy knows the page's one style sheet (CSP Level 3 §6.7.3.3).
fn style_hash(page: &str) -> String {
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    BASE64.encode(&Sha256::digest(style.map_or("", |(style, _)| style).as_bytes()))
}
