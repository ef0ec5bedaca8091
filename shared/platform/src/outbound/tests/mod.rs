//! Tests of the sending side: rules in tables and properties; exchanges over a pipe in virtual time, to the exact
//! second; connections over real sockets.

mod address;
mod excerpt;
mod exchange;
mod peer;
mod schedule;
mod send;
mod tls;
mod url;

use super::{EndpointUrl, Failure, Loopback, Message, Outcome, Reply};

const BODY: &[u8] = br#"{"type":"invitation.accepted"}"#;

fn message(body: &[u8]) -> Message<'_> {
    let signature = "v1,aaaa v1,bbbb".to_owned();
    Message { id: "evt_1", timestamp: 1_795_369_200, signature, body }
}

fn endpoint(text: &str) -> EndpointUrl {
    EndpointUrl::parse(text, Loopback::Refused).unwrap()
}

/// An answer of which nothing but its status matters.
fn answered(status: u16) -> Reply {
    Reply { status, retry_after: None, delivery: None, excerpt: String::new() }
}

fn failed(failure: Failure) -> Outcome {
    Outcome::Failed(failure)
}
