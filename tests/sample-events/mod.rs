//! Generates the sample events in `events/`: one for each route, schedule and mapping, as gateway, scheduler, stream and queue
//! send them. They belong to one story, so each finds the data that it needs.

pub mod lambda_events;
mod mailbox;
mod stage;
mod story;

pub use mailbox::Mailbox;
pub use stage::{Answered, Around, Exchange, JOBS, Stage};
pub use story::play;

/// The master key of the sample events. It is public and must not be used for anything else.
pub const MASTER_KEY: &str = "the master key of the sample events, which everybody knows";

/// The bytes of the operator's key of the sample events.
const OPERATOR_KEY: [u8; 32] = *b"the sample operator's open key..";

/// The time of the story. With the real clock, functions reject the signatures as too old.
pub const TIME: &str = "2026-11-22T12:00:00.000Z";

#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub function: String,
    /// The name of the template's event, in kebab case.
    pub name: String,
    /// The event as formatted JSON.
    pub text: String,
    /// The response's status; 200 for jobs.
    pub status: u16,
}

impl Sample {
    /// The file under `events/`.
    pub fn path(&self) -> String {
        format!("{}/{}.json", self.function, self.name)
    }
}
