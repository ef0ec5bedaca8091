//! Checks that the template, the functions, their calls, their table, their environment and the sample events agree, and that
//! the sources keep to their layers.

mod alarms;
mod api_docs;
mod calls;
mod deployment;
mod events;
mod fips;
mod functions;
mod layers;
mod pages;
mod policy;
mod rights;
mod sources;
mod story;
mod table;
mod webhooks;
