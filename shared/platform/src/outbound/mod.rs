//! Sending webhooks: where they may go, how one attempt is made, and when the next one is.
//!
//! - [`url`] and [`address`]: what an endpoint's URL may be, and which addresses may be reached
//! - [`resolve`]: from a name to addresses
//! - [`send`], with [`reply`]: one attempt, over a connection of its own
//! - [`schedule`]: the waits between attempts
//!
//! Whoever names an endpoint chooses what this module connects to, what answers and how slowly, so nothing that comes
//! back is trusted and everything is bounded.

pub mod address;
pub mod reply;
pub mod resolve;
pub mod schedule;
pub mod send;
pub mod url;

mod connect;
mod exchange;
mod tls;

#[cfg(test)]
mod tests;

pub use self::address::is_public;
pub use self::reply::{Attempted, DeliveryWish, Failure, Outcome, Reply};
pub use self::resolve::{Resolver, SystemResolver};
pub use self::schedule::{ATTEMPTS, DISABLE_AFTER, RetryAfter, next_wait};
pub use self::send::{Message, Sender, Settings};
pub use self::tls::SenderError;
pub use self::url::{EndpointUrl, Loopback, UrlFault};
