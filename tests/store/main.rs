//! The store under faults, races and time: everything that needs the simulation.

mod commands;
mod faults;
mod frame;
mod ledger;
mod races;
mod table;
