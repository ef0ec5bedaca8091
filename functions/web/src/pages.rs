//! The pages. Each has the same bytes for every id, so that it does not reveal which ids exist. Opening one changes nothing.

use std::sync::LazyLock;

use platform::handler::{Anyone, Context, Html, Nothing};
use platform::http_api::{Problem, Response};

use crate::text::{Kind, Sent};

/// Scripts, styles, the icon and requests come from this origin only, and nothing is inline. Trusted Types make the browser
/// refuse to parse text as markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

static INVITATION: LazyLock<Sent> = LazyLock::new(|| page(include_str!("../pages/invitation/invitation.html")));
static CUSTOMER: LazyLock<Sent> = LazyLock::new(|| page(include_str!("../pages/customer/customer.html")));
static PARTNER: LazyLock<Sent> = LazyLock::new(|| page(include_str!("../pages/partner/partner.html")));
static SIGNED_IN: LazyLock<Sent> = LazyLock::new(|| page(include_str!("../pages/signed-in/signed-in.html")));

pub(crate) async fn invitation(context: Context, _: Anyone, _: Nothing) -> Result<Html, Problem> {
    Ok(sent(&INVITATION, &context))
}

pub(crate) async fn customer(context: Context, _: Anyone, _: Nothing) -> Result<Html, Problem> {
    Ok(sent(&CUSTOMER, &context))
}

pub(crate) async fn partner(context: Context, _: Anyone, _: Nothing) -> Result<Html, Problem> {
    Ok(sent(&PARTNER, &context))
}

pub(crate) async fn signed_in(context: Context, _: Anyone, _: Nothing) -> Result<Html, Problem> {
    Ok(sent(&SIGNED_IN, &context))
}

fn page(text: &str) -> Sent {
    Sent::new(text, Kind::Html)
}

fn sent(page: &Sent, context: &Context) -> Html {
    Html(page.response(&context.request, headers(POLICY)))
}

/// A page that cannot be embedded, and that sends no referrer.
pub(crate) fn html(page: &str, content_security_policy: &str) -> Html {
    Html(Response { status: 200, headers: headers(content_security_policy), body: page.to_owned() })
}

fn headers(content_security_policy: &str) -> Vec<(&'static str, String)> {
    vec![
        ("content-type", Kind::Html.media().to_owned()),
        ("content-security-policy", content_security_policy.to_owned()),
        ("referrer-policy", "no-referrer".to_owned()),
        ("x-frame-options", "DENY".to_owned()),
        ("cross-origin-opener-policy", "same-origin".to_owned()),
        ("cross-origin-resource-policy", "same-origin".to_owned()),
        ("x-robots-tag", "noindex".to_owned()),
    ]
}

#[cfg(test)]
pub(crate) fn all() -> [(&'static str, &'static Sent); 4] {
    [("invitation", &INVITATION), ("customer", &CUSTOMER), ("partner", &PARTNER), ("signed-in", &SIGNED_IN)]
}
