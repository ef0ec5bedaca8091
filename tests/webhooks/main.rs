//! Outbound webhooks: endpoints and deliveries.

mod arriving;
mod challenges;
mod common;
mod endpoints;
mod failing;
mod faulty;
mod following;
mod hostile;
mod keeping;
mod kept;
mod killed;
mod limits;
mod log;
mod looking;
mod resending;
mod rotating;
mod schemas;
mod suspended;
mod waiting;
mod work;
