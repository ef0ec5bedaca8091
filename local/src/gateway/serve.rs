//! The gateway as an axum handler. There is no axum router: the gateway has its own, with the rules of API Gateway, and
//! responses must stay as the functions return them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{Html, IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, HOST, HeaderName, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{Method, StatusCode};

use super::forward::Gateway;
use crate::net::Peer;

/// The start page has one style sheet, in the page itself, and nothing else.
const START_PAGE_HEADERS: [(HeaderName, &str); 2] = [
    (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// The gateway, and a start page at `/`. The page is not a route of the template: a deployment does not have it.
pub struct Site {
    pub gateway: Gateway,
    pub start_page: String,
    /// The address that the pages are for. Browsers keep cookies for a host name, so a page at another name of this machine would
    /// not find those of this one.
    pub base_url: String,
}

pub async fn respond(
    State(site): State<Arc<Site>>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads && let Some(address) = elsewhere(&site.base_url, &request) {
        return (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, address)]).into_response();
    }
    if reads && request.uri().path() == "/" {
        return (START_PAGE_HEADERS, Html(site.start_page.clone())).into_response();
    }
    site.gateway.answer(request, peer).await.map(Body::new)
}

/// The names of this machine.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// What the paths of pages begin with. The start page has no path.
const PAGES: [&str; 5] = ["/i/", "/c/", "/p/", "/signed-in/", "/docs"];

/// Where a page is, if it was requested by another name of this machine. The browser keeps the fragment.
fn elsewhere<B>(base_url: &str, request: &http::Request<B>) -> Option<String> {
    let path = request.uri().path();
    let is_page = path == "/" || PAGES.iter().any(|page| path.starts_with(page));
    let own = base_url.strip_prefix("http://")?;
    let host = request.headers().get(HOST)?.to_str().ok()?;
    let name = |host: &str| LOOPBACK.into_iter().find(|name| host.strip_prefix(name).is_some_and(is_port_or_end));
    let (own_name, asked_name) = (name(own)?, name(host)?);
    // Another port is another server, for example a proxy in front of this one.
    let is_same_port = own[own_name.len()..] == host[asked_name.len()..];
    let target = request.uri().path_and_query().map_or(path, |target| target.as_str());
    (is_page && own_name != asked_name && is_same_port).then(|| format!("{base_url}{target}"))
}

fn is_port_or_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirected(base_url: &str, host: &str, target: &str) -> Option<String> {
        elsewhere(base_url, &http::Request::builder().uri(target).header(HOST, host).body(()).unwrap())
    }

    #[test]
    fn pages_at_another_name_of_this_machine_are_redirected() {
        let base = "http://127.0.0.1:3000";
        for target in ["/", "/i/inv_1", "/c/t?cloud=public", "/p/ptr_1", "/signed-in/public", "/docs"] {
            for host in ["localhost:3000", "[::1]:3000"] {
                assert_eq!(redirected(base, host, target), Some(format!("{base}{target}")), "{host} {target}");
            }
            assert_eq!(redirected(base, "127.0.0.1:3000", target), None);
        }
        assert_eq!(redirected("http://localhost:3000", "127.0.0.1:3000", "/"), Some("http://localhost:3000/".into()));
    }

    #[test]
    fn nothing_else_is_redirected() {
        let base = "http://127.0.0.1:3000";
        for (host, target) in [
            ("localhost:3000", "/v1/policy"),
            ("localhost:3000", "/openapi.json"),
            ("localhost:3000", "/assets/app.js"),
            ("localhost:4000", "/i/inv_1"),
            ("localhost", "/i/inv_1"),
            ("localhost.example:3000", "/i/inv_1"),
            ("127.0.0.1.example:3000", "/i/inv_1"),
            ("example.com", "/i/inv_1"),
        ] {
            assert_eq!(redirected(base, host, target), None, "{host} {target}");
        }
        for base in ["https://localhost:3000", "https://example.com", "http://example.com"] {
            assert_eq!(redirected(base, "127.0.0.1:3000", "/i/inv_1"), None, "{base}");
        }
    }
}
