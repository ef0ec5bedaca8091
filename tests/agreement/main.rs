//! What has to agree: the template with the functions, their calls, their table, their environment, and the sample events.

mod calls;
mod deployment;
mod events;
mod functions;
mod policy;
mod rights;
mod story;
mod table;
mod webhooks;
