//! The gateway as an axum handler. There is no axum router: the gateway has its own, with the rules of API Gateway, and
//! responses must stay as the functions return them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{Html, IntoResponse, Response};
use http::Method;
use http::header::{CONTENT_SECURITY_POLICY, HeaderName, X_CONTENT_TYPE_OPTIONS};

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
}

pub async fn respond(
    State(site): State<Arc<Site>>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads && request.uri().path() == "/" {
        return (START_PAGE_HEADERS, Html(site.start_page.clone())).into_response();
    }
    site.gateway.answer(request, peer).await.map(Body::new)
}
