//! Examples: real requests and responses of the sample events. Keys, secrets and link tokens are replaced.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::sample_events::{Exchange, MASTER_KEY, Stage, play};

/// An access key that opens nothing.
const KEY: &str = "mpk_EXAMPLE-KEY-EXAMPLE-KEY-EXAMPLE-KEY-EXAMPLE";
/// A link token that opens nothing.
const TOKEN: &str = "EXAMPLE-TOKEN-EXAMPLE-TOKEN-EXAMPLE-TOKEN-A";
/// A signing secret with which nothing is signed: base64 of "example example example example!".
const SECRET: &str = "whsec_ZXhhbXBsZSBleGFtcGxlIGV4YW1wbGUgZXhhbXBsZSE=";
/// The most items of a list that are shown.
const ITEMS: usize = 1;

/// What was sent and received while the sample events were made.
pub struct Examples {
    exchanges: Vec<Exchange>,
    /// Every secret in the requests and responses.
    pub secrets: BTreeSet<String>,
}

impl Examples {
    /// Plays the story of the sample events.
    pub async fn record() -> Self {
        let stage = Stage::start(None).await;
        play(&stage).await;
        let mut exchanges = stage.exchanges();
        // The document has examples of its own, whose placeholders are no secrets.
        exchanges.retain(|exchange| exchange.route != "GET /openapi.json");
        let known = [MASTER_KEY, stage.operator_key()].map(str::to_owned);
        let mut secrets = BTreeSet::from(known);
        for exchange in &exchanges {
            redact(&mut exchange.answer.json(), &mut secrets);
            redact(&mut request(exchange).unwrap_or_default(), &mut secrets);
        }
        Self { exchanges, secrets }
    }

    /// The body of a request that had this status.
    pub fn request(&self, route: &str, status: u16) -> Option<Value> {
        self.of(route, status).find_map(request).map(redacted)
    }

    /// The body of a response that had this status.
    pub fn response(&self, route: &str, status: u16) -> Option<Value> {
        let mut body = redacted(self.of(route, status).next()?.answer.json());
        if let Some(items) = body.get_mut("items").and_then(Value::as_array_mut) {
            items.truncate(ITEMS);
        }
        Some(body)
    }

    fn of<'a>(&'a self, route: &'a str, status: u16) -> impl Iterator<Item = &'a Exchange> {
        self.exchanges.iter().filter(move |exchange| exchange.route == route && exchange.answer.status == status)
    }
}

fn request(exchange: &Exchange) -> Option<Value> {
    exchange.call.body.as_deref().and_then(|body| serde_json::from_slice(body).ok())
}

fn redacted(mut value: Value) -> Value {
    redact(&mut value, &mut BTreeSet::new());
    value
}

/// Replaces every secret in a value, and collects what it replaces.
fn redact(value: &mut Value, secrets: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) => redact_text(name, text, secrets),
                    other => redact(other, secrets),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, secrets)),
        _ => {}
    }
}

fn redact_text(name: &str, text: &mut String, secrets: &mut BTreeSet<String>) {
    let mut replace = |text: &mut String, with: &str| {
        secrets.insert(std::mem::replace(text, with.to_owned()));
    };
    match name {
        "key" => replace(text, KEY),
        "token" => replace(text, TOKEN),
        "signing_secret" => replace(text, SECRET),
        "accept_url" => {
            let (page, token) = text.split_once('#').expect("a token");
            let (url, mut token) = (format!("{page}#{TOKEN}"), token.to_owned());
            replace(&mut token, TOKEN);
            *text = url;
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::secrets::AccessKeyText;

    #[test]
    fn placeholders_have_the_form_of_what_they_replace() {
        assert!(AccessKeyText::parse(KEY).is_some());
        assert_eq!(KEY.len(), "mpk_".len() + 43);
        assert_eq!(TOKEN.len(), 43);
        let secret = SECRET.strip_prefix("whsec_").expect("a prefix");
        assert_eq!(data_encoding::BASE64.decode(secret.as_bytes()).expect("base64").len(), 32);
    }
}
