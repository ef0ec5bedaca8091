//! Black-box tests over HTTP.

mod accept;
mod administer;
mod corpus;
mod corrections;
mod coverage;
mod directory_roles;
mod endings;
mod field_errors;
mod hidden;
mod invitations;
mod keys;
mod narrowing;
mod openness;
mod operator_keys;
mod proofs;
mod reads;
mod sessions;
mod sign_in;
mod story;
mod subscriptions;
mod tables;
mod texts;
mod web;
mod webhooks;
