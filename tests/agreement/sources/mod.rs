//! Reads the sources of a crate: its modules, and which file refers to which.
//!
//! Code of tests and of the feature `describe`, which deployed functions do not have, does not count. A re-export is followed
//! to the file that defines the item, so a `mod.rs` that only re-exports depends on nothing. Method calls are not resolved.

mod graph;
mod parse;
mod resolve;

use std::path::{Path, PathBuf};

pub use graph::{Edge, cycles};
pub use resolve::Crate;

/// The repository's root folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Reads the library in `folder`, a path from the repository's root.
pub fn library(folder: &str) -> Crate {
    let src = root().join(folder).join("src");
    Crate::read("lib.rs", |file| std::fs::read_to_string(src.join(file)).ok())
}
