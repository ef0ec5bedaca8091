//! HTTP as the API speaks it: requests from gateway events, strict JSON bodies, responses and problems.

pub mod body;
mod cookies;
pub mod delegated_admin;
mod etag;
mod event;
mod field;
pub mod json;
pub mod object;
mod problem;
mod request;
mod response;
pub mod schemas;
pub mod shape;
pub mod sketch;

pub use cookies::Cookies;
pub use etag::conditional;
pub use field::{At, FieldCode, FieldError, InvalidField};
pub use problem::{Code, MAX_FIELD_ERRORS, Problem, TYPE_BASE};
pub use request::{MAX_BODY, Request};
pub use response::{Response, SET_COOKIE, to_gateway};
