//! One file per command.

pub mod connection;
pub mod dynamodb;
pub mod events;
pub mod export;
mod follow;
mod host;
pub mod import;
pub mod keygen;
pub mod listen;
pub mod serve;
pub mod sign_in;
mod tail;
pub mod verify;
pub mod webhook;
