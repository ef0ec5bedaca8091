//! What handlers share: callers, lists, and how errors of the store become problems.

mod caller;
mod context;
mod from_store;
pub mod list;
mod rotation;
pub mod views;

pub use caller::{ActingPartner, Caller, SignedWebhook};
pub use context::{App, EndpointRules, Missing};
pub use rotation::Rotation;
