//! Finds damaged pages before the engine opens a database. Otherwise they are found when something reads them, which may be
//! much later.

use std::path::Path;

use rusqlite::Connection;

use super::error::{EngineError, open_error};

/// Reads the whole file, or creates an empty one.
///
/// # Errors
/// [`EngineError`] if the file is damaged or not a database.
pub(super) fn check(file: &Path) -> Result<(), EngineError> {
    let finding = first_finding(file).map_err(|error| open_error(file)(error.into()))?;
    if finding == "ok" { Ok(()) } else { Err(EngineError::Damaged { path: file.to_owned(), finding }) }
}

/// What SQLite finds first, on one line; `ok` if there is nothing.
fn first_finding(file: &Path) -> rusqlite::Result<String> {
    let database = Connection::open(file)?;
    let finding: String = database.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok(finding.lines().map(|line| line.trim_matches(['*', ' '])).collect::<Vec<_>>().join(": "))
}
