//! Webhooks out: endpoints, and messages that arrive in spite of everything.

mod arriving;
mod common;
mod endpoints;
mod failing;
mod hostile;
mod killed;
mod schemas;
mod waiting;
