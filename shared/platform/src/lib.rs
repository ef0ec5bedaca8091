//! What every function is built from, in layers. A module uses modules of lower layers only; `tests/agreement/layers.rs`
//! checks this.
//!
//! 1. [`clock`], [`deadline`], [`metrics`], [`network`], [`random`]: time, log lines for alarms, connections, randomness; `views_macro`
//! 2. [`aws`]: calls of AWS services
//! 3. [`store`]: the table; [`outbound`]: sending webhooks; [`queue`]: the queue of deliveries
//! 4. [`http_api`]: requests, responses, problems, strict JSON; [`secrets`]: master keys, signatures, tokens; [`identity`]: sign-in
//! 5. [`config`]: the environment
//! 6. [`handler`]: callers, lists, what handlers share
//! 7. [`lambda`]: the entry point of every function; `describe`: what the routes say about themselves
//!
//! The rules themselves are in crate `domain`.

pub mod aws;
pub mod clock;
pub mod config;
pub mod deadline;
#[cfg(feature = "describe")]
pub mod describe;
pub mod handler;
pub mod http_api;
pub mod identity;
pub mod lambda;
pub mod metrics;
pub mod network;
pub mod outbound;
pub mod queue;
pub mod random;
pub mod secrets;
pub mod store;
mod views_macro;

pub use aws_lambda_events;
#[doc(hidden)]
pub use serde;

#[doc(hidden)]
#[cfg(feature = "describe")]
pub use schemars;

// `views!` names this crate, here as in the functions.
extern crate self as platform;
