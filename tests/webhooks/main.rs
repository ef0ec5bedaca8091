//! Outbound webhooks: endpoints and deliveries.

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
