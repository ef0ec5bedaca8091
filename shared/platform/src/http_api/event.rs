//! The gateway's event (API Gateway HTTP API, payload format 2.0), as far as this service looks at it. An own type, because
//! one pass has to tell what a map of headers can't: two names that differ only in letter case.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// The most headers an event can have: more than the gateway's 10 240 bytes hold.
const MAX_HEADERS: usize = 5_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) version: String,
    pub(super) route_key: String,
    pub(super) request_context: Context,
    #[serde(default)]
    pub(super) headers: Headers,
    /// Anything else than a list of texts counts as no cookies.
    #[serde(default)]
    pub(super) cookies: serde_json::Value,
    #[serde(default)]
    pub(super) path_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) query_string_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Context {
    #[serde(default)]
    pub(super) request_id: Option<String>,
    #[serde(default)]
    pub(super) domain_name: Option<String>,
    pub(super) stage: String,
    pub(super) http: Http,
}

#[derive(Deserialize)]
pub(super) struct Http {
    pub(super) method: String,
}

/// Headers by name in lower case, and the names that occur more than once.
#[derive(Default)]
pub(super) struct Headers {
    pub(super) values: BTreeMap<String, String>,
    pub(super) repeated: BTreeSet<String>,
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeadersVisitor)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("headers, each with one text")
    }

    fn visit_unit<E>(self) -> Result<Headers, E> {
        Ok(Headers::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Headers, A::Error> {
        let mut headers = Headers::default();
        while let Some((name, value)) = members.next_entry::<String, String>()? {
            let name = name.to_ascii_lowercase();
            if value.contains(['\r', '\n', '\0']) {
                return Err(serde::de::Error::custom("a header's value is no header value"));
            }
            if headers.values.insert(name.clone(), value).is_some() {
                headers.repeated.insert(name);
            }
            if headers.values.len() > MAX_HEADERS {
                return Err(serde::de::Error::custom("too many headers"));
            }
        }
        Ok(headers)
    }
}
