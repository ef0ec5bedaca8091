//! The program as a process: what it prints, its exit code, its sockets and its files.

// The helpers of a test program are no `#[test]` functions, which clippy.toml would allow this.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod process;

mod client;
mod files;
mod following;
mod importing;
mod pipes;
mod serving;
mod sockets;
#[cfg(unix)]
mod terminal;
