//! Whole lives of invitations, relationships and grants, on the virtual clock: what ends when, and who is told of it.

mod common;
mod expiry;
mod feed;
mod grants;
mod policies;
mod races;
mod relationships;
mod timeline;
mod wire;
