//! Support for black-box tests: a running system, in this process or deployed, and the parties who call it.
//!
//! `World::start()` starts the local gateway with an empty table and a virtual clock. If `MULTIPARTNER_URL` and
//! `MULTIPARTNER_OPERATOR_KEY` are set, it uses that deployment and the system clock instead.

#[path = "../api-docs/mod.rs"]
pub mod api_docs;
pub mod cases;
pub mod catalog;
pub mod clock;
pub mod contract;
pub mod engine;
pub mod faults;
pub mod here;
pub mod http;
pub mod lists;
pub mod meter;
pub mod parties;
pub mod provider;
pub mod random;
pub mod receiver;
pub mod rng;
#[path = "../sample-events/mod.rs"]
pub mod sample_events;
pub mod signed_in;
pub mod sim;
pub mod sold;
pub mod wait;
pub mod world;

pub use catalog::catalog;
pub use clock::{FileClock, ManualClock};
pub use http::{Answer, Call};
pub use parties::{Customer, Partner};
pub use random::SeededRandom;
pub use receiver::{Receiver, Reply};
pub use signed_in::Browser;
pub use sim::{Sim, SimOptions};
pub use wait::until;
pub use world::World;
