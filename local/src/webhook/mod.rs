//! Signed webhooks from the command line: to sign, send and check them. `listen` uses the same code.
//!
//! - [`target`]: where messages may be sent, and one attempt
//! - [`check`]: what is wrong with a message, for its receiver
//! - [`samples`]: a message of each type

pub mod check;
pub mod samples;
pub mod target;

use data_encoding::BASE32_NOPAD;
use platform::random::Random;
use platform::secrets::signature::{SigningSecret, sign};

/// The three headers of a signed message.
pub fn headers(secret: &SigningSecret, id: &str, seconds: i64, body: &[u8]) -> [(&'static str, String); 3] {
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", sign(secret, id, seconds, body)),
    ]
}

/// A new id with this prefix, in the form that the service uses.
pub fn new_id(prefix: &str, random: &dyn Random) -> String {
    format!("{prefix}{}", BASE32_NOPAD.encode(&random.bytes()[..16]).to_ascii_lowercase())
}
