//! `ETag` and 304 on reads (RFC 9110 §13.1.2): the tag is a hash of the response's bytes.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use super::Response;
use super::response::JSON;

/// Adds an `ETag` to a 200 response, and makes it a 304 without a body if the caller already has it. `held` is `None` unless
/// the request is a read.
pub fn conditional(held: Option<String>, answer: Response) -> Response {
    let is_json = answer.headers.contains(&("content-type", JSON.to_owned()));
    // A file says itself how it may be kept.
    let is_file = answer.headers.iter().any(|(name, _)| *name == "cache-control");
    let Some(held) = held.filter(|_| answer.status == 200 && (is_json || is_file)) else { return answer };
    let tag = format!("\"{}\"", BASE64URL_NOPAD.encode(&Sha256::digest(answer.body.as_bytes())[..16]));
    let known = held.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag);
    // The caller may keep it, but must ask again before it uses it.
    let mut answer = answer.with_header("etag", tag);
    if !is_file {
        answer = answer.with_header("cache-control", "private, no-cache");
    }
    if known {
        answer.status = 304;
        answer.body.clear();
        answer.headers.retain(|(name, _)| *name != "content-type");
    }
    answer
}
