//! The domain of Multipartner, shared by every function.
//!
//! - [`domain`]: pure types and rules; every time is an argument
//! - [`store`]: the table; keys, items, guarded transactions
//! - [`http`]: requests, answers, problems, strict JSON
//! - [`auth`]: keys, signatures, roles
//! - [`outbound`]: sending webhooks
//! - [`app`], [`config`], [`lambda`]: what puts a function together
//!
//! `domain` knows nothing of the others; `store` knows `domain`; handlers know them all.

pub mod app;
pub mod auth;
pub mod config;
pub mod deadline;
pub mod domain;
pub mod http;
pub mod lambda;
pub mod outbound;
pub mod queue;
pub mod random;
pub mod store;

mod roots;

pub use aws_lambda_events;
