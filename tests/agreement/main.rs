//! What has to agree: the template with the functions, their calls, their table, their environment, and the sample events.

mod calls;
mod deployment;
mod events;
mod functions;
mod layers;
mod policy;
mod rights;
mod sources;
mod story;
mod table;
mod webhooks;
