//! Static pages: one style sheet, no script.

use std::sync::LazyLock;

use data_encoding::BASE64;
use platform::handler::{Anyone, Context, Html, Nothing};
use platform::http_api::{Problem, Response};
use sha2::{Digest, Sha256};

/// The same bytes for every id, so that the page does not reveal which ids exist. Opening it changes nothing.
const INVITATION: &str = include_str!("page.html");

static INVITATION_POLICY: LazyLock<String> = LazyLock::new(|| content_security_policy(INVITATION));

pub(crate) async fn invitation(_: Context, _: Anyone, _: Nothing) -> Result<Html, Problem> {
    Ok(html(INVITATION, &INVITATION_POLICY))
}

/// A page that may load nothing, and be embedded nowhere.
pub(crate) fn html(page: &str, content_security_policy: &str) -> Html {
    let headers = vec![
        ("content-type", "text/html; charset=utf-8".to_owned()),
        ("content-security-policy", content_security_policy.to_owned()),
        ("referrer-policy", "no-referrer".to_owned()),
        ("x-frame-options", "DENY".to_owned()),
        ("cross-origin-opener-policy", "same-origin".to_owned()),
        ("cross-origin-resource-policy", "same-origin".to_owned()),
        ("x-robots-tag", "noindex".to_owned()),
    ];
    Html(Response { status: 200, headers, body: page.to_owned() })
}

/// Allows only the page's one style sheet.
pub(crate) fn content_security_policy(page: &str) -> String {
    let style = style_hash(page);
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// The hash by which the content security policy knows the page's one style sheet (CSP Level 3 §6.7.3.3).
fn style_hash(page: &str) -> String {
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    BASE64.encode(&Sha256::digest(style.map_or("", |(style, _)| style).as_bytes()))
}
