//! A provider's own document about itself (OpenID Connect Discovery 1.0).

use serde::Deserialize;

use super::error::{Check, SignInError, Step};
use crate::outbound::{Loopback, ServerUrl};

/// Where the parts of a provider are.
pub(super) struct Discovery {
    pub(super) token: ServerUrl,
    pub(super) keys: ServerUrl,
    pub(super) end_session: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    token_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: Option<String>,
}

/// Reads the document of an issuer. It must name that issuer, byte for byte, and its endpoints must be on the server that it
/// came from, which policy or settings name.
pub(super) fn read(body: &[u8], issuer: &str, from: &ServerUrl, loopback: Loopback) -> Result<Discovery, SignInError> {
    let malformed = SignInError::ProviderUnavailable(Step::Discovery, "malformed");
    let document: Document = serde_json::from_slice(body).map_err(|_| malformed)?;
    let false_document = SignInError::Failed(Check::Discovery);
    if document.issuer != issuer {
        return Err(false_document);
    }
    let on_server = |url: &str| ServerUrl::parse(url, loopback).filter(|url| url.is_same_server(from));
    Ok(Discovery {
        token: on_server(&document.token_endpoint).ok_or(false_document)?,
        keys: on_server(&document.jwks_uri).ok_or(false_document)?,
        end_session: document.end_session_endpoint.filter(|url| on_server(url).is_some()),
    })
}
