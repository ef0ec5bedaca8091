//! Webhooks out: endpoints, and messages that arrive in spite of everything.

mod arriving;
mod bulk;
mod common;
mod endpoints;
mod failing;
mod hostile;
mod schemas;
