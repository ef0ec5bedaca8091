//! The queue between publishing and delivering. A ticket only names a delivery, whose state is in the table, so a ticket may
//! arrive twice or late. The queue holds deliveries that are due soon. Those that wait longer wait in the table.

mod interface;
pub mod sqs;
mod ticket;

pub use interface::{LONGEST_POSTPONEMENT, Queue, QueueError, Queued};
pub use ticket::Ticket;
