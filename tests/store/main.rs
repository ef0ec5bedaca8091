//! Tests of the store that need the simulation: faults, races and the passing of time.

mod commands;
mod contention;
mod faults;
mod frame;
mod ledger;
mod master_keys;
mod newer;
mod races;
mod rolling;
mod shards;
mod table;
mod unprocessed;
mod work;
