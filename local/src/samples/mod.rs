//! Sample tenants, and commands to try with them. They are created through the API itself. Every request is idempotent, so
//! creating them again changes nothing.

mod members;
mod seed;
mod seeder;
mod steps;
pub mod tenants;

pub use self::members::{Member, OpenInvitation, Samples};
pub use self::seed::seed;
pub use self::seeder::SeedError;
pub use self::steps::{Step, steps};

#[cfg(test)]
mod tests;
