//! One file per command.

pub mod dynamodb;
pub mod keygen;
pub mod listen;
pub mod serve;
pub mod verify;

use std::net::{IpAddr, Ipv4Addr};

/// The default of `--host`.
const THIS_MACHINE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
