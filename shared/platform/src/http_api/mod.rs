//! HTTP as this service speaks it: requests out of gateway events, strict JSON, answers and problems.

mod etag;
mod event;
pub mod fields;
pub mod json;
mod members;
mod problem;
mod request;
mod response;

pub use etag::conditional;
pub use members::webhook_data;
pub use problem::{Code, FieldError, MAX_FIELD_ERRORS, Problem, TYPE_BASE};
pub use request::{MAX_BODY, Request};
pub use response::{Response, to_gateway};
