//! The items, as structs.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

#[derive(Clone, Deserialize)]
pub struct AccessKey {
    pub key_hash: ByteBuf,
    pub principal: String,
    pub principal_id: Option<String>,
    pub key_roles: Vec<String>,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

#[derive(Clone, Deserialize)]
pub struct Partner {
    pub tenant: String,
    pub name: String,
    pub cloud: String,
    pub market: String,
    pub status: String,
}

#[derive(Deserialize)]
pub struct Tenant {
    pub cloud: String,
    pub csp_partner: Option<String>,
}

#[derive(Deserialize)]
pub struct Relationship {
    pub relation: String,
    pub open_until: Option<i64>,
}

#[derive(Deserialize, Serialize)]
pub struct Invitation {
    pub pk: String,
    pub sk: String,
    pub v: u32,
    pub kind: String,
    pub partner_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    pub created: i64,
    pub expires: i64,
    pub answer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    pub version: u64,
    pub policy: u32,
    pub token_gen: u32,
    pub key_number: u32,
    pub token_hash: ByteBuf,
    pub fingerprint: ByteBuf,
    pub gsi1pk: String,
    pub gsi2pk: String,
    pub listed: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gsi3pk: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gsi3sk: Option<String>,
    pub event_seq: u64,
    pub event_hash: ByteBuf,
}

/// What an acceptance changes in an invitation.
#[derive(Serialize)]
pub struct Acceptance {
    pub answer: &'static str,
    pub decided: i64,
    pub proof: &'static str,
    pub version: u64,
    pub by_name: String,
    pub by_email: String,
    pub by_salt: ByteBuf,
    pub event_seq: u64,
    pub event_hash: ByteBuf,
}

#[derive(Deserialize, Serialize)]
pub struct Subscription {
    pub pk: String,
    pub sk: String,
    pub v: u32,
    pub subscription: String,
    pub cloud: String,
    pub service: String,
    pub offer: String,
    pub quantity: u64,
    pub billing: String,
    pub term: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friendly_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_on: Option<String>,
    pub registered: i64,
    pub policy: u32,
    pub fingerprint: ByteBuf,
    pub gsi1pk: String,
    pub gsi2pk: String,
    pub listed: String,
    pub event_seq: u64,
    pub event_hash: ByteBuf,
}

#[derive(Serialize)]
pub struct Event {
    pub pk: String,
    pub sk: String,
    pub v: u32,
    pub event_type: String,
    pub occurred: i64,
    pub actor: String,
    pub policy: u32,
    pub event_data: String,
    pub event_hash: ByteBuf,
    pub state: ByteBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    pub gsi1pk: String,
    pub gsi2pk: String,
    pub gsi4pk: String,
    pub listed: String,
    pub gsi3pk: String,
    pub gsi3sk: String,
}
