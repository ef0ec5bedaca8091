//! Black-box tests over HTTP.

mod accept;
mod administer;
mod codes;
mod corpus;
mod endings;
mod hidden;
mod invitations;
mod openness;
mod reads;
mod story;
mod subscriptions;
mod tables;
mod web;
mod webhooks;
