//! Emulates API Gateway: an HTTP API with payload format 2.0 in front of the same functions. A request becomes the bytes of
//! an event, and the event takes the same way as in Lambda.

pub mod event;
mod forward;
mod response;
mod router;
mod serve;

pub use self::forward::{Gateway, Target};
pub use self::response::{Answer, GatewayError};
pub use self::router::Router;
pub use self::serve::{Site, respond};

#[cfg(test)]
mod tests;
