//! Why the engine cannot open a database.

use std::path::{Path, PathBuf};

use dynoxide::DynoxideError;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(
        "cannot open the database {path}: {reason}. Restore the file from a backup, or choose another folder with \
         --data-dir",
        path = .path.display(), reason = plain(.reason)
    )]
    Open { path: PathBuf, reason: Box<DynoxideError> },
    #[error("cannot copy the database to {path}: {reason}", path = .path.display(), reason = plain(.reason))]
    Save { path: PathBuf, reason: Box<DynoxideError> },
    #[error(
        "the database {path} is damaged: {finding}. Restore the file from a backup, or choose another folder with \
         --data-dir",
        path = .path.display()
    )]
    Damaged { path: PathBuf, finding: String },
    #[error("the path {} is not valid UTF-8; choose another folder with --data-dir", .0.display())]
    PathNotUtf8(PathBuf),
    #[error("cannot create a database in memory: {}", plain(.0))]
    Memory(Box<DynoxideError>),
}

impl EngineError {
    /// What is wrong, without the path.
    pub fn finding(&self) -> String {
        match self {
            Self::Open { reason, .. } | Self::Save { reason, .. } | Self::Memory(reason) => plain(reason),
            Self::Damaged { finding, .. } => finding.clone(),
            Self::PathNotUtf8(_) => self.to_string(),
        }
    }
}

/// The error of opening this file.
pub(super) fn open_error(file: &Path) -> impl FnOnce(DynoxideError) -> EngineError {
    move |reason| EngineError::Open { path: file.to_owned(), reason: Box::new(reason) }
}

/// The engine's reason, without its prefix for the HTTP API and its advice about encryption, which is not supported here.
fn plain(error: &DynoxideError) -> String {
    let text = error.to_string();
    let reason = text.strip_prefix("Internal error: ").unwrap_or(&text);
    reason.split_once(". ").map_or(reason, |(first, _)| first).to_owned()
}
