//! Verifies a data folder or a table: every record must be in the state in which its events left it.

mod printed;
mod snapshot;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::scan::ScanError;
use platform::store::{Audit, AuditError, Audited};

use crate::data_dir::{DataDir, DataDirError};
use crate::engine::Engine;
use crate::table::TABLE;

pub use self::printed::lines;
use self::snapshot::Snapshot;

/// The data could not be read, or is not as its events left it.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("no Multipartner data found in {}", .0.display())]
    NoData(PathBuf),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("cannot copy {}: {}", .0.display(), .1)]
    Copy(PathBuf, io::Error),
    #[error("{} is damaged: {}. Restore the file from a backup", .file.display(), .reason)]
    Damaged { file: PathBuf, reason: String },
    #[error("cannot read the table: {}", DisplayErrorContext(.0))]
    Table(Box<ScanError>),
    #[error("the data has been changed: {0}")]
    Broken(#[from] AuditError),
    #[error("cannot read {}: {}", .0.display(), .1)]
    Earlier(PathBuf, io::Error),
    #[error("{} is not an output of verify: {}", .0.display(), .1)]
    NotAnOutput(PathBuf, String),
    #[error("the data has been changed since {} was written: {}", .0.display(), .1.join("; "))]
    Lost(PathBuf, Vec<String>),
}

/// Verifies a data folder, which may be read-only or in use. It writes nothing into the folder.
///
/// # Errors
/// [`VerifyError`] with everything that was changed.
pub async fn verify(data_dir: &Path) -> Result<Audited, VerifyError> {
    if data_dir.is_file() {
        return Err(DataDirError::NotAFolder(data_dir.to_owned()).into());
    }
    let file = DataDir::database_in(data_dir);
    if !file.is_file() {
        return Err(VerifyError::NoData(data_dir.to_owned()));
    }
    let snapshot = Snapshot::take(&file).map_err(|error| VerifyError::Copy(file.clone(), error))?;
    let damaged = |reason: String| VerifyError::Damaged { file: file.clone(), reason };
    let engine = Engine::open(&snapshot.database()).map_err(|error| damaged(error.finding()))?;
    match audit(&engine.client(), TABLE).await {
        Err(VerifyError::Table(error)) => Err(damaged(DisplayErrorContext(error).to_string())),
        audited => audited,
    }
}

/// Whether another process uses a data folder.
pub fn is_in_use(data_dir: &Path) -> bool {
    DataDir::is_in_use(data_dir)
}

/// Compares with an earlier output: what existed then must exist, and its events must follow those that it had.
///
/// # Errors
/// [`VerifyError`] with everything that was lost.
pub fn compare(audited: &Audited, against: &Path) -> Result<usize, VerifyError> {
    let text = fs::read_to_string(against).map_err(|error| VerifyError::Earlier(against.to_owned(), error))?;
    let earlier = printed::parse(&text).map_err(|line| VerifyError::NotAnOutput(against.to_owned(), line))?;
    match printed::lost(&earlier, audited) {
        lost if lost.is_empty() => Ok(earlier.len()),
        lost => Err(VerifyError::Lost(against.to_owned(), lost)),
    }
}

/// Checks a table by reading all of it. This is for operators and tests; no function does it.
///
/// # Errors
/// [`VerifyError`] with everything that was changed.
pub async fn audit(client: &Client, table: &str) -> Result<Audited, VerifyError> {
    let mut audit = Audit::default();
    let mut start = None;
    loop {
        let page = client.scan().table_name(table).consistent_read(true).set_exclusive_start_key(start).send().await;
        let page = page.map_err(|error| VerifyError::Table(Box::new(error.into_service_error())))?;
        for item in page.items() {
            audit.take(item);
        }
        start = page.last_evaluated_key;
        if start.is_none() {
            return Ok(audit.finish().sound()?);
        }
    }
}

#[cfg(test)]
mod tests;
