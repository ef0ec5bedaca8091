//! The whole API in one process: the [`gateway`] in front of the same functions that run in Lambda, on an embedded DynamoDB
//! engine. `cargo run` serves it, and tests start it.
//!
//! Layers, from the bottom: `net`, `table`, `template`, `data_dir`; `engine`, `functions`, `gateway`, [`courier`]; `start`,
//! which builds a running [`Local`]; [`jobs`], [`samples`], [`verify`], [`listen`],
//! [`identity_provider`], [`client`], [`sign_in_check`], [`webhook`] and [`feed`] on top, and with the client [`import`] and
//! [`export`].

pub mod api;
mod apps;
pub mod client;
pub mod courier;
pub mod csv;
mod data_dir;
pub mod engine;
mod error;
pub mod export;
pub mod feed;
pub mod functions;
pub mod gateway;
pub mod identity_provider;
pub mod import;
mod invoke;
pub mod jobs;
pub mod listen;
mod net;
mod options;
pub mod printable;
mod running;
pub mod samples;
pub mod sign_in_check;
mod start;
mod start_page;
mod table;
pub mod template;
#[cfg(test)]
mod testing;
pub mod verify;
pub mod webhook;
mod work;

pub use crate::data_dir::{DataDir, DataDirError};
pub use crate::engine::EngineError;
pub use crate::error::StartError;
pub use crate::net::{Bound, ListenError, Server};
pub use crate::options::Options;
pub use crate::running::Local;
pub use crate::start::start;
pub use crate::table::{TABLE, table_config};
