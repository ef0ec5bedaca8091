//! The sample events of `events/`: one for each route, schedule and mapping, as gateway, scheduler, stream and queue send them. They
//! tell one story in the order of [`Sample`]s, so that each of them finds what it needs.

pub mod lambda_events;
mod mailbox;
mod stage;
mod story;

pub use mailbox::Mailbox;
pub use stage::{Answered, Around, JOBS, Stage};
pub use story::play;

/// The master key of the sample events. Everybody knows it: it is for nothing else.
pub const MASTER_KEY: &str = "the master key of the sample events, which everybody knows";

/// The operator's key of the sample events is made of this.
const OPERATOR_KEY: [u8; 32] = *b"the sample operator's open key..";

/// When the story plays. Signatures are of this time, so a function by the real clock refuses them as too old.
pub const TIME: &str = "2026-11-22T12:00:00.000Z";

/// One sample event.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The function that it is for.
    pub function: String,
    /// Its name: that of the template's event, in kebab case.
    pub name: String,
    /// The event, as JSON for people.
    pub text: String,
    /// The status that it is answered with; 200 for a job that is done.
    pub status: u16,
}

impl Sample {
    /// The file under `events/`.
    pub fn path(&self) -> String {
        format!("{}/{}.json", self.function, self.name)
    }
}
