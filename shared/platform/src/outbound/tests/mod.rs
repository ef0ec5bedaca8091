//! Rules are tested in tables and properties, exchanges over a pipe in virtual time, and connections over real sockets.

mod address;
mod common;
mod endpoint_url;
mod excerpt;
mod exchange;
mod peer;
mod schedule;
mod send;
mod tls;
