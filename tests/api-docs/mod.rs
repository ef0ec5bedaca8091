//! The API's documentation, generated from the catalog of routes: `docs/openapi.json`, the reference page of function `web`
//! and `docs/errors.md`.

mod components;
mod errors;
mod examples;
mod html;
mod members;
mod openapi;
pub mod operations;
mod reference;
mod responses;
mod schema_html;
mod webhooks;

use std::path::{Path, PathBuf};

pub use examples::Examples;
use serde_json::Value;

/// The command that writes the generated files.
pub const COMMAND: &str = "cargo run -p tests --bin api-docs";

/// A generated file.
pub struct File {
    /// Its path in the repository.
    pub path: &'static str,
    pub text: String,
}

impl File {
    /// Its path on this machine.
    pub fn on_disk(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(self.path)
    }
}

/// The OpenAPI document. Its examples are requests and responses of the sample events.
pub fn document(examples: &Examples) -> Value {
    openapi::document(examples)
}

/// Every generated file.
///
/// # Panics
/// If a route is not described completely.
pub fn files(examples: &Examples) -> Vec<File> {
    let document = document(examples);
    let pretty = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
    vec![
        File { path: "docs/openapi.json", text: pretty },
        File { path: "functions/web/src/reference.html", text: reference::page(&document) },
        File { path: "docs/errors.md", text: errors::markdown() },
    ]
}
