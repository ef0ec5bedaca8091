//! Lifecycles of invitations, relationships and grants on a virtual clock: when they end and which events are written.

mod common;
mod edits;
mod expiry;
mod feed;
mod grants;
mod policies;
mod races;
mod relationships;
mod timeline;
mod wire;
