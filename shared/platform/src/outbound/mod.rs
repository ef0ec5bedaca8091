//! Sending webhooks: where they may be sent, one attempt, and the time of the next attempt.
//!
//! - [`endpoint_url`] and [`address`]: which URLs an endpoint may have, and which addresses may be reached
//! - [`send`], with [`reply`]: one attempt, over its own connection
//! - [`schedule`]: the waits between attempts
//! - [`fetch`]: requests to servers that the deployment itself names
//!
//! An endpoint's owner chooses what this module connects to, and what responds how slowly. So nothing in a response is
//! trusted, and everything is limited.

pub mod address;
pub mod endpoint_url;
pub mod fetch;
pub mod reply;
pub mod schedule;
pub mod send;

mod connect;
mod exchange;
mod message;
mod retry_after;
mod tls;
mod url_fault;

#[cfg(test)]
mod tests;

pub use self::address::is_public;
pub use self::endpoint_url::{EndpointUrl, Loopback};
pub use self::fetch::{FetchError, Fetched, Fetcher, ServerUrl};
pub use self::message::Message;
pub use self::reply::{Attempted, DeliveryWish, Failure, Outcome, Reply};
pub use self::retry_after::RetryAfter;
pub use self::schedule::{ATTEMPTS, CHALLENGE_ATTEMPTS, next_challenge_wait, next_wait};
pub use self::send::{Sender, Settings};
pub use self::tls::SenderError;
pub use self::url_fault::UrlFault;
pub use crate::network::resolve::{Resolver, SystemResolver};
