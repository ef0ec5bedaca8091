//! Real sockets. A server runs in a thread of its own, so that a test can stop polling its runtime, as Lambda freezes a function,
//! while the server goes on.

mod bounds;
mod frozen;
mod reuse;
mod server;
mod tls;
