//! Connections to other machines: to AWS services and to endpoints of webhooks.
//!
//! - `resolve`: from a name to addresses
//! - `dial`: one address after the other
//! - `stream`: a connection, with or without TLS
//! - `roots`, [`tls`]: whose certificates are trusted, and the TLS settings
//! - `drive`: HTTP over a connection without a task of its own

pub mod dial;
pub mod drive;
pub mod resolve;
pub mod roots;
pub mod stream;
pub mod tls;

#[cfg(test)]
pub(crate) mod certificates;
