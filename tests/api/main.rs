//! Black-box tests over HTTP.

mod accept;
mod administer;
mod batches;
mod corpus;
mod corrections;
mod coverage;
mod directory_roles;
mod endings;
mod erasures;
mod field_errors;
mod grants;
mod hidden;
mod imports;
mod invitations;
mod keys;
mod narrowing;
mod openness;
mod operator_keys;
mod reads;
mod story;
mod subscriptions;
mod tables;
mod texts;
mod web;
mod webhooks;
