//! The token endpoint.

use data_encoding::BASE64URL_NOPAD;
use domain::Cloud;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::authorize::{Parameters, parameters};
use super::place::Place;
use super::site::{Code, Site, client_id};

/// How long ID tokens are valid, in seconds.
const TOKEN_SECONDS: i64 = 3600;

/// What the endpoint responds.
pub(super) struct Redeemed {
    pub(super) status: u16,
    pub(super) body: Value,
    /// Whether to wait first.
    pub(super) slow: bool,
}

impl Redeemed {
    fn error(status: u16, error: &str) -> Self {
        Self { status, body: json!({"error": error}), slow: false }
    }
}

/// Redeems a code for an ID token.
pub(super) fn redeem(site: &Site, place: &Place, body: &str) -> Redeemed {
    let form = parameters(body);
    let is = |name: &str, expected: &str| form.get(name).is_some_and(|value| value == expected);
    if !is("grant_type", "authorization_code") {
        return Redeemed::error(400, "unsupported_grant_type");
    }
    if !is("client_id", client_id(place.cloud)) || !is_client(site, place, &form) {
        return Redeemed::error(401, "invalid_client");
    }
    let code = form.get("code").and_then(|code| site.redeem(code)).filter(|code| {
        let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
        let of_place = (code.cloud, &code.tenant) == (place.cloud, &place.tenant);
        of_place && is("redirect_uri", &code.redirect_uri) && code.challenge == challenge(verifier)
    });
    let Some(code) = code else { return Redeemed::error(400, "invalid_grant") };
    let Some(id_token) = id_token(site, &code) else { return Redeemed::error(500, "server_error") };
    let body = json!({
        "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "scope": "openid profile", "access_token": "unused",
        "id_token": id_token,
    });
    Redeemed { status: 200, body, slow: code.slow }
}

/// The PKCE challenge of a verifier.
fn challenge(verifier: &str) -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, verifier.as_bytes()).as_ref())
}

/// Whether the request is from the registered app: in one cloud by its secret, in the other by its key.
fn is_client(site: &Site, place: &Place, form: &Parameters) -> bool {
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    match place.cloud {
        Cloud::Public => get("client_secret") == site.client_secret,
        Cloud::UsGov => site.keys.assertion(get("client_assertion")).is_some_and(|claims| {
            let endpoint = site.endpoint(place.cloud, &place.tenant, "oauth2/v2.0/token");
            let now = site.now().seconds();
            claims["aud"] == endpoint.as_str()
                && claims["iss"] == client_id(place.cloud)
                && claims["sub"] == client_id(place.cloud)
                && claims["exp"].as_i64().is_some_and(|exp| (now..=now + 600).contains(&exp))
        }),
    }
}

fn id_token(site: &Site, code: &Code) -> Option<String> {
    let (cloud, tenant) = (code.cloud, &code.tenant);
    let now = site.now().seconds();
    let mut claims = json!({
        "iss": site.issuer(cloud, tenant), "tid": tenant, "aud": client_id(cloud), "ver": "2.0", "nonce": code.nonce,
        "iat": now, "nbf": now, "exp": now + TOKEN_SECONDS, "auth_time": code.at.seconds(),
    });
    if let (Value::Object(claims), Value::Object(person)) = (&mut claims, code.person.claims(tenant)) {
        claims.extend(person);
    }
    let forged = site.tampering.forged(site.keys.of(cloud).header(), claims);
    site.keys.token(cloud, &forged)
}
