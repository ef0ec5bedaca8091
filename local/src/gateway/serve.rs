//! The gateway as an axum application.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use super::forward::Gateway;
use crate::net::Peer;

/// The start page has one style sheet, in the page itself, and nothing else.
const START_PAGE_HEADERS: [(HeaderName, &str); 2] = [
    (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// The gateway, and a start page at `/`. The page is not a route of the template: a deployment does not have it.
pub fn app(gateway: Arc<Gateway>, start_page: String) -> Router {
    let page = move || async { (START_PAGE_HEADERS, Html(start_page)) };
    Router::new().route("/", get(page).fallback(forward)).fallback(forward).with_state(gateway)
}

async fn forward(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    gateway.answer(request, peer).await.map(Body::new).into_response()
}
