//! Helpers of several tests.

use super::super::{EndpointUrl, Failure, Loopback, Message, Outcome, Reply};

pub(super) const BODY: &[u8] = br#"{"type":"invitation.accepted"}"#;

pub(super) fn message(body: &[u8]) -> Message<'_> {
    let signature = "v1,aaaa v1,bbbb".to_owned();
    Message { id: "evt_1", timestamp: 1_795_369_200, signature, body }
}

pub(super) fn endpoint(text: &str) -> EndpointUrl {
    EndpointUrl::parse(text, Loopback::Refused).unwrap()
}

/// A response with only a status.
pub(super) fn answered(status: u16) -> Reply {
    Reply { status, retry_after: None, delivery: None, excerpt: String::new() }
}

pub(super) fn failed(failure: Failure) -> Outcome {
    Outcome::Failed(failure)
}
