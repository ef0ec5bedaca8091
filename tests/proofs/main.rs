//! What is promised, shown: costs, secrets, damaged items, and a test for every rule.

mod costs;
mod items;
mod record;
mod rules;
mod secrets;
