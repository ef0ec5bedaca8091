//! One file per command.

pub mod connection;
pub mod dynamodb;
pub mod export;
mod host;
pub mod import;
pub mod keygen;
pub mod listen;
pub mod serve;
pub mod sign_in;
pub mod verify;
