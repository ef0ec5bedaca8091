//! The event by which an HTTP API calls a function, in payload format 2.0 with its quirks.

use std::net::IpAddr;

use data_encoding::BASE64;
use domain::Timestamp;
use http::header::{CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, macros::format_description};

/// Not a real account.
const ACCOUNT: &str = "000000000000";
const API: &str = "local";

/// A request that arrived at the gateway and has a route.
pub struct Arrival<'a> {
    pub head: &'a Parts,
    pub body: &'a [u8],
    /// `METHOD /path/{parameter}`.
    pub route_key: &'a str,
    pub parameters: &'a [(&'a str, String)],
    pub peer: IpAddr,
    pub port: u16,
    /// The gateway's request id.
    pub id: &'a str,
    pub at: Timestamp,
}

impl Arrival<'_> {
    /// The event. It omits the same empty members as the real gateway.
    pub fn event(&self) -> Value {
        let path = decoded_path(self.head.uri.path());
        let query = self.head.uri.query().unwrap_or_default();
        let mut event = json!({
            "version": "2.0",
            "routeKey": self.route_key,
            "rawPath": path,
            "rawQueryString": query,
            "headers": self.headers(),
            "requestContext": self.context(&path),
            "isBase64Encoded": false,
        });
        let cookies = cookies(&self.head.headers);
        if !cookies.is_empty() {
            event["cookies"] = json!(cookies);
        }
        let parameters = joined(form_urlencoded::parse(query.as_bytes()));
        if !parameters.is_empty() {
            event["queryStringParameters"] = Value::Object(parameters);
        }
        if !self.parameters.is_empty() {
            event["pathParameters"] = self.parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        }
        if !self.body.is_empty() {
            // A text that is not UTF-8 does not fit into JSON. As base64 it arrives unchanged, so the function can reject it.
            let text = std::str::from_utf8(self.body).ok().filter(|_| is_text(&self.head.headers));
            event["isBase64Encoded"] = json!(text.is_none());
            event["body"] = text.map_or_else(|| json!(BASE64.encode(self.body)), |text| json!(text));
        }
        event
    }

    /// The headers with lower-case names, repeated ones joined, without cookies, and with those that the gateway adds.
    fn headers(&self) -> Map<String, Value> {
        let given = self.head.headers.iter().filter(|(name, _)| *name != COOKIE);
        let added = [
            ("x-amzn-trace-id", format!("Root=1-{:08x}-{}", self.at.seconds(), trace(self.id))),
            ("x-forwarded-for", self.peer.to_string()),
            ("x-forwarded-port", self.port.to_string()),
            ("x-forwarded-proto", "http".to_owned()),
        ];
        let given = given.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        joined(given.chain(added))
    }

    fn context(&self, path: &str) -> Value {
        let header = |name: HeaderName| {
            self.head.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let host = header(HOST).unwrap_or_default();
        let domain = without_port(&host);
        json!({
            "accountId": ACCOUNT,
            "apiId": API,
            "domainName": domain,
            "domainPrefix": domain.split('.').next(),
            "http": {
                "method": self.head.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", self.head.version),
                "sourceIp": self.peer.to_string(),
                "userAgent": header(USER_AGENT).unwrap_or_default(),
            },
            "requestId": self.id,
            "routeKey": self.route_key,
            "stage": "$default",
            "time": common_log_time(self.at),
            "timeEpoch": self.at.millis(),
        })
    }
}

/// The path as in real events: percent-decoded, and cut at an encoded question mark. So a function must not route on it.
fn decoded_path(path: &str) -> String {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    decoded.split('?').next().unwrap_or_default().to_owned()
}

/// Pairs as an object. The values of a repeated name are joined with commas.
fn joined<N: AsRef<str>, V: AsRef<str>>(pairs: impl Iterator<Item = (N, V)>) -> Map<String, Value> {
    let mut values: Vec<(String, String)> = Vec::new();
    for (name, value) in pairs {
        match values.iter_mut().find(|(known, _)| known == name.as_ref()) {
            Some((_, known)) => {
                known.push(',');
                known.push_str(value.as_ref());
            }
            None => values.push((name.as_ref().to_owned(), value.as_ref().to_owned())),
        }
    }
    values.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(COOKIE).iter().map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
    let cookies = lines.flat_map(|line| line.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>());
    cookies.filter(|cookie| !cookie.is_empty()).collect()
}

/// Whether the body is sent as text. Every other body is base64, including forms and bodies without a type.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/") || ["application/json", "application/xml", "application/javascript"].contains(&&*kind)
}

/// `host` of `host:port`; an IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The last 24 hexadecimal digits of a trace id.
fn trace(id: &str) -> String {
    id.bytes().chain(std::iter::repeat(0)).take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// `22/Nov/2026:17:40:00 +0000`.
fn common_log_time(at: Timestamp) -> String {
    let format = format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
    let time = OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&format).unwrap_or_default()
}

#[cfg(test)]
mod tests;
