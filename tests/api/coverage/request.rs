//! A request as the event that a function receives, so that a test can also send what a gateway would not pass on.

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::BASE64;
use platform::secrets::signature::{SigningSecret, sign};
use serde_json::{Map, Value, json};

use super::scene::SESSION;

/// The time that the functions of the deployed system have.
const REMAINING: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `METHOD /path/{parameter}`
    pub(crate) key: &'static str,
    pub(crate) version: &'static str,
    pub(crate) parameters: BTreeMap<&'static str, String>,
    pub(crate) query: BTreeMap<&'static str, &'static str>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) is_base64: bool,
    /// Signs the body, unless the headers have a signature already.
    pub(crate) signing_secret: Option<String>,
    /// How many seconds the signature's time differs from the clock.
    pub(crate) signed_late_by: i64,
    /// A header that is left out at last.
    pub(crate) omitted: Option<&'static str>,
    /// The time that the function has.
    pub(crate) remaining: Duration,
}

impl Request {
    pub(crate) fn new(key: &'static str) -> Self {
        Self {
            key,
            version: "2.0",
            parameters: BTreeMap::new(),
            query: BTreeMap::new(),
            headers: BTreeMap::new(),
            body: None,
            is_base64: false,
            signing_secret: None,
            signed_late_by: 0,
            omitted: None,
            remaining: REMAINING,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    /// As a page of the deployment sends it.
    pub(crate) fn own_page(self) -> Self {
        self.header("x-multipartner", "1").header("sec-fetch-site", "same-origin")
    }

    /// With a session that does not exist, and without a key.
    pub(crate) fn unknown_session(self) -> Self {
        let request = self.header("cookie", format!("{SESSION}={}", "B".repeat(43)));
        Self { omitted: Some("authorization"), ..request }
    }

    pub(crate) fn access_key(self, key: &str) -> Self {
        self.header("authorization", format!("Bearer {key}"))
    }

    pub(crate) fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", "application/json")
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.bytes(body.to_string())
    }

    /// Changes the body; of a webhook, its data.
    pub(crate) fn edit(self, edit: impl FnOnce(&mut Value)) -> Self {
        let mut body: Value = serde_json::from_slice(self.body.as_deref().unwrap_or(b"{}")).expect("a JSON body");
        let is_webhook = self.signing_secret.is_some();
        edit(if is_webhook { &mut body["data"] } else { &mut body });
        self.json(&body)
    }

    /// Sets a member of the body; of a webhook, of its data.
    pub(crate) fn member(self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.edit(|body| body[name] = value)
    }

    /// The event, at this time.
    pub(crate) fn event(&self, now: i64) -> Vec<u8> {
        let (method, template) = self.key.split_once(' ').expect("a method and a path");
        let path = self
            .parameters
            .iter()
            .fold(template.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
        let http = json!({"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"});
        let context = json!({
            "http": http, "routeKey": self.key, "stage": "$default", "requestId": "JKJaXmPLvHcESHA=",
            "domainName": "api.example.com",
        });
        let mut event = json!({
            "version": self.version, "routeKey": self.key, "rawPath": path, "headers": self.all_headers(now),
            "pathParameters": self.parameters, "queryStringParameters": self.query, "requestContext": context,
            "isBase64Encoded": self.is_base64,
        });
        if let Some(body) = &self.body {
            let text = std::str::from_utf8(body).map_or_else(|_| BASE64.encode(body), str::to_owned);
            event["body"] = json!(text);
        }
        event.to_string().into_bytes()
    }

    fn all_headers(&self, now: i64) -> Map<String, Value> {
        let mut headers = self.headers.clone();
        if let Some(secret) = &self.signing_secret {
            let secret = SigningSecret::parse(secret).expect("a secret");
            let at = now + self.signed_late_by;
            let signature = sign(&secret, &headers["webhook-id"], at, self.body.as_deref().unwrap_or_default());
            headers.entry("webhook-timestamp".into()).or_insert(at.to_string());
            headers.entry("webhook-signature".into()).or_insert(signature);
        }
        headers
            .into_iter()
            .filter(|(name, _)| Some(name.as_str()) != self.omitted)
            .map(|(n, v)| (n, v.into()))
            .collect()
    }
}
