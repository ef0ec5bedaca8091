//! Black-box tests over HTTP.

mod story;
