//! The catch-up feed of events, followed: `events tail` prints it, and `listen --forward-to` forwards it to a program.
//!
//! - [`event`]: an event, and the message that an endpoint would get for it
//! - [`pace`] and [`watch`]: when to read again, and what to tell the person who waits; pure, with time and randomness as
//!   arguments
//! - [`reader`]: reads page by page
//! - [`position`]: where forwarding continues after a restart
//! - [`forward`]: forwarding one event until it is delivered
//! - [`relay`]: all of it together

pub mod event;
pub mod forward;
pub mod pace;
pub mod position;
pub mod reader;
pub mod relay;
pub mod watch;
