//! The API's documentation, generated from the catalog of routes (`cargo run -p tests --bin api-docs`).

use std::sync::LazyLock;

use data_encoding::BASE64;
use platform::handler::{Anyone, Context, Html, JsonDocument, Nothing};
use platform::http_api::{Problem, Response};
use sha2::{Digest, Sha256};

use crate::pages::html;

const PRETTY_DOCUMENT: &str = include_str!("../../../docs/openapi.json");
const REFERENCE: &str = include_str!("reference.html");

static DOCUMENT: LazyLock<String> = LazyLock::new(|| without_indentation(PRETTY_DOCUMENT));
static REFERENCE_POLICY: LazyLock<String> = LazyLock::new(|| content_security_policy(REFERENCE));

pub(crate) async fn openapi(_: Context, _: Anyone, _: Nothing) -> Result<JsonDocument, Problem> {
    let headers = vec![("content-type", "application/json".to_owned())];
    Ok(JsonDocument(Response { status: 200, headers, body: DOCUMENT.clone() }))
}

pub(crate) async fn reference(_: Context, _: Anyone, _: Nothing) -> Result<Html, Problem> {
    Ok(html(REFERENCE, &REFERENCE_POLICY))
}

/// JSON on one line. A string in JSON has no line break, so every break and the spaces after it are indentation.
fn without_indentation(json: &str) -> String {
    json.lines().map(str::trim_start).collect()
}

/// Allows only the page's one style sheet.
fn content_security_policy(page: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_document_that_is_served_has_the_content_of_the_file() {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(parse(&DOCUMENT), parse(PRETTY_DOCUMENT));
        assert!(!DOCUMENT.contains('\n') && DOCUMENT.len() < PRETTY_DOCUMENT.len());
    }
}
