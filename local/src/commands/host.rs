//! The default of `--host`.

use std::net::{IpAddr, Ipv4Addr};

pub const THIS_MACHINE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
