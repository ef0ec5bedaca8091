//! Which request goes where.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{Method, Request as HttpRequest, Response, StatusCode};
use serde_json::json;

use super::authorize::{Next, Request, parameters};
use super::pages;
use super::place::Place;
use super::redeem::redeem;
use super::site::Site;
use super::tamper::{Answer, Endpoint};
use crate::net::read_body;

/// The largest form, in bytes.
const FORM_MAX: usize = 16 * 1024;

/// Longer than a deployment waits for a provider.
const SLOW: Duration = Duration::from_secs(7);

/// Browsers apply `form-action` to redirects too, so the pages have none.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

pub(super) async fn respond(State(site): State<Arc<Site>>, request: HttpRequest<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Some(place) = Place::parse(head.uri.path()) else { return html(404, pages::malformed("path")) };
    let query = head.uri.query().unwrap_or_default();
    let Ok(body) = read_body(body, FORM_MAX).await else { return html(400, pages::malformed("body")) };
    let body = String::from_utf8_lossy(&body).into_owned();
    match (&head.method, place.rest.as_str()) {
        (&Method::GET, "v2.0/.well-known/openid-configuration") => discovery(&site, &place).await,
        (&Method::GET, "discovery/v2.0/keys") => keys(&site, &place).await,
        (&Method::POST, "oauth2/v2.0/token") => token(&site, &place, &body).await,
        (&Method::GET, "oauth2/v2.0/authorize") => match Request::parse(&site, &place, query) {
            Ok(request) => html(200, request.page()),
            Err(parameter) => html(400, pages::malformed(parameter)),
        },
        (&Method::POST, "oauth2/v2.0/authorize") => match Request::parse(&site, &place, query) {
            Ok(request) => next(request.choose(&site, &parameters(&body))),
            Err(parameter) => html(400, pages::malformed(parameter)),
        },
        (&Method::GET, "oauth2/v2.0/logout") => html(200, pages::signed_out()),
        _ => html(404, pages::malformed("path")),
    }
}

fn next(next: Next) -> Response<Body> {
    match next {
        Next::Page(page) => html(200, page),
        Next::Redirect(to) => {
            let mut response = html(303, String::new());
            if let Ok(to) = to.parse() {
                response.headers_mut().insert(LOCATION, to);
            }
            response
        }
    }
}

async fn discovery(site: &Site, place: &Place) -> Response<Body> {
    let endpoint = |path| site.endpoint(place.cloud, &place.tenant, path);
    let document = json!({
        "issuer": site.issuer(place.cloud, &place.tenant),
        "authorization_endpoint": endpoint("oauth2/v2.0/authorize"),
        "token_endpoint": endpoint("oauth2/v2.0/token"),
        "jwks_uri": endpoint("discovery/v2.0/keys"),
        "end_session_endpoint": endpoint("oauth2/v2.0/logout"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "code_challenge_methods_supported": ["S256"],
    });
    send(site.tampering.distorted(Endpoint::Discovery, 200, &document)).await
}

async fn keys(site: &Site, place: &Place) -> Response<Body> {
    let issuer = site.issuer(place.cloud, &place.tenant).replace(place.tenant.as_str(), "{tenantid}");
    let document = json!({"keys": [site.keys.of(place.cloud).jwk(&issuer)]});
    send(site.tampering.distorted(Endpoint::Keys, 200, &document)).await
}

async fn token(site: &Site, place: &Place, body: &str) -> Response<Body> {
    let redeemed = redeem(site, place, body);
    if redeemed.slow {
        tokio::time::sleep(SLOW).await;
    }
    send(site.tampering.distorted(Endpoint::Token, redeemed.status, &redeemed.body)).await
}

async fn send(answer: Answer) -> Response<Body> {
    if answer.never {
        pending::<()>().await;
    }
    respond_with(answer.status, "application/json", answer.body)
}

fn html(status: u16, page: String) -> Response<Body> {
    let mut response = respond_with(status, "text/html; charset=utf-8", page.into_bytes());
    if let Ok(policy) = PAGE_POLICY.parse() {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn respond_with(status: u16, kind: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")] {
        response.headers_mut().insert(name, axum::http::HeaderValue::from_static(value));
    }
    response
}
