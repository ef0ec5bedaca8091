//! What black-box tests work with: a running system (here, or a deployment), and the parties who call it.
//!
//! `World::start()` is the local gateway over a fresh engine with a virtual clock. With `MULTIPARTNER_URL` and
//! `MULTIPARTNER_OPERATOR_KEY` set it is that deployment instead, with the system's clock.

pub mod cases;
pub mod catalog;
pub mod clock;
pub mod engine;
pub mod faults;
pub mod here;
pub mod http;
pub mod lists;
pub mod meter;
pub mod parties;
pub mod random;
pub mod receiver;
pub mod rng;
#[path = "../sample-events/mod.rs"]
pub mod sample_events;
pub mod sim;
pub mod sold;
pub mod world;

pub use catalog::catalog;
pub use clock::{FileClock, ManualClock};
pub use http::{Answer, Call};
pub use parties::{Customer, Partner};
pub use random::SeededRandom;
pub use receiver::{Receiver, Reply};
pub use sim::{Sim, SimOptions};
pub use world::World;
