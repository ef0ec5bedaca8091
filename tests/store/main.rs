//! Tests of the store that need the simulation: faults, races and the passing of time.

mod commands;
mod faults;
mod frame;
mod ledger;
mod races;
mod shards;
mod table;
