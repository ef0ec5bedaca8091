//! The sample events of `events/`, with other bodies, keys and ids.

use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER};
use ring::{digest, hmac};
use serde_json::{Value, json};

use crate::error::{During, Result, json as parse};

/// A partner that acts.
#[derive(Clone, Debug)]
pub struct Partner {
    pub id: String,
    pub key: String,
    /// The secret of its webhooks, `whsec_…`.
    pub secret: String,
}

#[derive(Clone, Debug)]
pub struct Events {
    folder: PathBuf,
}

impl Events {
    pub fn new(root: &Path) -> Self {
        Self { folder: root.join("events") }
    }

    /// A sample as it is.
    ///
    /// # Errors
    /// If there is none.
    pub fn sample(&self, name: &str) -> Result<Value> {
        let file = self.folder.join(name).with_extension("json");
        parse(name, &std::fs::read(&file).on(&file)?)
    }

    /// The key with which the samples call as the operator.
    ///
    /// # Errors
    /// If the sample is missing.
    pub fn operator_key_hash(&self) -> Result<String> {
        let sample = self.sample("administer/register-customer")?;
        let header = sample["headers"]["authorization"].as_str().unwrap_or_default();
        let key = header.trim_start_matches("Bearer ");
        Ok(HEXLOWER.encode(digest::digest(&digest::SHA256, key.as_bytes()).as_ref()))
    }

    /// An operator's request with this body.
    ///
    /// # Errors
    /// If the sample is missing.
    pub fn operator(&self, name: &str, body: &Value) -> Result<Vec<u8>> {
        let (mut event, body) = (self.sample(name)?, body.to_string());
        // Another request needs another key.
        let key = digest::digest(&digest::SHA256, body.as_bytes());
        event["headers"]["idempotency-key"] = json!(HEXLOWER.encode(key.as_ref()));
        event["body"] = json!(body);
        Ok(event.to_string().into_bytes())
    }

    /// A partner invites a customer.
    ///
    /// # Errors
    /// If the sample is missing.
    pub fn create(&self, partner: &Partner, key: &str, body: &Value) -> Result<Vec<u8>> {
        let mut event = self.partners("create-invitation/create-by-key", partner, body)?;
        event["headers"]["idempotency-key"] = json!(key);
        Ok(event.to_string().into_bytes())
    }

    /// The holder of a link accepts.
    ///
    /// # Errors
    /// If the sample is missing.
    pub fn accept(&self, invitation: &str, token: &str) -> Result<Vec<u8>> {
        let mut event = self.sample("accept-invitation/accept-by-link")?;
        let path = format!("/v1/invitations/{invitation}/accept");
        event["pathParameters"]["invitation_id"] = json!(invitation);
        event["requestContext"]["http"]["path"] = json!(path);
        event["rawPath"] = json!(path);
        let accepted_by = json!({"name": "Avery Howard", "email": "avery@contoso.example", "role": "global_admin"});
        event["body"] = json!(json!({"token": token, "accepted_by": accepted_by}).to_string());
        Ok(event.to_string().into_bytes())
    }

    /// A partner registers a subscription.
    ///
    /// # Errors
    /// If the sample is missing.
    pub fn register(&self, partner: &Partner, body: &Value) -> Result<Vec<u8>> {
        Ok(self.partners("register-subscription/register-by-key", partner, body)?.to_string().into_bytes())
    }

    /// A signed webhook to create an invitation, at this time in seconds.
    ///
    /// # Errors
    /// If the sample is missing.
    pub fn signed(&self, partner: &Partner, id: &str, now: u64, body: &str) -> Result<Vec<u8>> {
        let mut event = self.sample("create-invitation/create-by-webhook")?;
        let path = format!("/v1/webhooks/{}/invitations", partner.id);
        event["pathParameters"]["partner_id"] = json!(partner.id);
        event["requestContext"]["http"]["path"] = json!(path);
        event["rawPath"] = json!(path);
        event["body"] = json!(body);
        event["isBase64Encoded"] = json!(false);
        let secret = BASE64.decode(partner.secret.trim_start_matches("whsec_").as_bytes()).unwrap_or_default();
        let signed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), format!("{id}.{now}.{body}").as_bytes());
        event["headers"]["webhook-id"] = json!(id);
        event["headers"]["webhook-timestamp"] = json!(now.to_string());
        event["headers"]["webhook-signature"] = json!(format!("v1,{}", BASE64.encode(signed.as_ref())));
        Ok(event.to_string().into_bytes())
    }

    fn partners(&self, name: &str, partner: &Partner, body: &Value) -> Result<Value> {
        let mut event = self.sample(name)?;
        let route = event["routeKey"].as_str().unwrap_or_default().to_owned();
        let path = route.replace("POST ", "").replace("{partner_id}", &partner.id);
        event["pathParameters"]["partner_id"] = json!(partner.id);
        event["requestContext"]["http"]["path"] = json!(path);
        event["rawPath"] = json!(path);
        event["headers"]["authorization"] = json!(format!("Bearer {}", partner.key));
        event["body"] = json!(body.to_string());
        Ok(event)
    }
}
