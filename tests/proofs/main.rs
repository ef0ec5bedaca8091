//! Tests of guarantees: costs, secrets, damaged items, unchanged records, and a test for every rule.

mod attacks;
mod costs;
mod items;
mod partitions;
mod record;
mod rules;
mod secrets;
