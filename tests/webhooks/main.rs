//! Webhooks out: endpoints, and messages that arrive in spite of everything.

mod arriving;
mod challenges;
mod common;
mod endpoints;
mod failing;
mod faulty;
mod hostile;
mod keeping;
mod killed;
mod log;
mod resending;
mod rotating;
mod schemas;
mod waiting;
