//! The result file. Only its owner can read it: it has the links of invitations.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::error::FileError;
use super::kind::Kind;
use super::row::Row;
use crate::csv::Writer;

/// How many names are tried for a result file.
const MAX_NAMES: u32 = 10_000;

pub struct Results {
    path: PathBuf,
    kind: Kind,
    writer: Writer<BufWriter<File>>,
}

impl Results {
    /// Creates the file, or the first free one next to the imported file: `NAME.results.csv`, `NAME.results-2.csv`, …
    ///
    /// # Errors
    /// [`FileError`] if the file exists or cannot be written.
    pub fn create(kind: Kind, path: Option<&Path>, imported: &Path) -> Result<Self, FileError> {
        let (path, file) = match path {
            Some(path) => (path.to_owned(), create(path)?),
            None => first_free(imported)?,
        };
        let mut results = Self { path, kind, writer: Writer::new(BufWriter::new(file)) };
        results.head()?;
        Ok(results)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn head(&mut self) -> Result<(), FileError> {
        let columns = ["line", "outcome", "code", "message", "accept_url", "expires_at"];
        let written = self.writer.write(&columns[..self.width()]);
        written.map_err(|error| self.unwritable(error))
    }

    /// # Errors
    /// [`FileError`] if it cannot be written.
    pub fn add(&mut self, row: &Row) -> Result<(), FileError> {
        let line = row.line.to_string();
        let (url, expires) = row.link.as_ref().map_or(("", ""), |link| (&link.accept_url, &link.expires_at));
        let fields = [line.as_str(), row.outcome.as_str(), &row.code, &row.message, url, expires];
        let written = self.writer.write(&fields[..self.width()]);
        written.map_err(|error| self.unwritable(error))
    }

    /// Writes everything to the disk.
    ///
    /// # Errors
    /// [`FileError`] if it cannot be written.
    pub fn finish(mut self) -> Result<(), FileError> {
        let written = self.writer.flush().and_then(|()| self.writer.get_ref().get_ref().sync_all());
        written.map_err(|error| self.unwritable(error))
    }

    fn width(&self) -> usize {
        if self.kind == Kind::Invitations { 6 } else { 4 }
    }

    fn unwritable(&self, error: io::Error) -> FileError {
        FileError::Unwritable(self.path.clone(), error)
    }
}

fn first_free(imported: &Path) -> Result<(PathBuf, File), FileError> {
    for number in 1..MAX_NAMES {
        let suffix = if number == 1 { "results.csv".to_owned() } else { format!("results-{number}.csv") };
        let path = imported.with_extension(suffix);
        match create(&path) {
            Err(FileError::ResultsExist(_)) => {}
            created => return created.map(|file| (path, file)),
        }
    }
    Err(FileError::ResultsExist(imported.with_extension("results.csv")))
}

/// Creates a new file. It follows no link and replaces nothing.
fn create(path: &Path) -> Result<File, FileError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => FileError::ResultsExist(path.to_owned()),
        _ => FileError::Uncreatable(path.to_owned(), error),
    })
}
