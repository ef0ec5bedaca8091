//! Import of CSV files: customers and relationships by an operator, invitations and subscriptions by a partner.
//!
//! A file is read twice (`source`). The first reading checks it as a whole, the second sends it. Every request is idempotent, so
//! an import that stopped is resumed by running it again.

mod error;
mod fields;
mod header;
mod item;
mod kind;
mod lines;
mod perform;
mod progress;
mod rehearse;
mod results;
mod row;
mod run;
mod server;
mod source;
mod tasks;
mod utf8;

use std::future::Future;
use std::path::Path;

pub use self::error::{EncodingFault, FileError, HeaderFault};
pub use self::kind::Kind;
use self::lines::{CheckedFile, Lines};
use self::perform::Importer;
pub use self::progress::{Progress, rate};
use self::rehearse::Rehearsal;
pub use self::results::Results;
pub use self::row::{Link, Outcome, Row, Tally};
pub use self::run::{Ran, Stop};
pub use self::server::{PATIENCE, Refused, Server};
use self::tasks::Tasks;

/// An import of a file that was checked as a whole.
pub struct Import<'a> {
    file: CheckedFile,
    path: &'a Path,
}

/// An import that can start: the key belongs to a caller who may do it.
pub struct Ready<'a> {
    lines: Lines,
    importer: Importer<'a>,
    batch_size: usize,
    /// Requests at once.
    parallel: usize,
}

impl<'a> Import<'a> {
    /// Reads the file once. Nothing is sent.
    ///
    /// # Errors
    /// [`FileError`] if the file cannot be imported as it is.
    pub fn check(kind: Kind, path: &'a Path) -> Result<Self, FileError> {
        Ok(Self { file: CheckedFile::new(kind, path)?, path })
    }

    /// Lines of the file, without the first.
    pub fn lines(&self) -> u64 {
        self.file.lines
    }

    /// Checks the key.
    ///
    /// # Errors
    /// [`Stop`] if the import cannot start.
    pub async fn prepare(self, server: &Server, parallel: usize) -> Result<Ready<'_>, Stop> {
        let kind = self.file.kind();
        let partner = server.check_key(kind).await?;
        let batch_size = if kind == Kind::Subscriptions { server.batch_size().await? } else { 0 };
        let lines = self.file.read(self.path)?;
        let importer = Importer { server, kind, partner };
        Ok(Ready { lines, importer, batch_size, parallel: parallel.max(1) })
    }
}

impl Ready<'_> {
    /// Sends the lines, and reports what became of each. Duplicate and malformed lines are reported and not sent.
    pub async fn run(
        self,
        report: impl FnMut(&Row) -> Result<(), Stop>,
        progress: &mut Progress,
        interrupt: impl Future<Output = ()>,
    ) -> Ran {
        let Self { lines, importer, batch_size, parallel } = self;
        let tasks = Tasks::new(lines, batch_size);
        run::run(tasks, parallel, |task| importer.perform(task), report, progress, interrupt).await
    }

    /// Reports what [`run`](Self::run) would do with each line, in the order of the lines. It changes nothing.
    pub async fn rehearse(
        self,
        report: impl FnMut(&Row) -> Result<(), Stop>,
        progress: &mut Progress,
        interrupt: impl Future<Output = ()>,
    ) -> Ran {
        let Self { lines, importer, parallel, .. } = self;
        let rehearsal = Rehearsal::new(importer);
        run::run(Tasks::new(lines, 0), parallel, |task| rehearsal.perform(task), report, progress, interrupt).await
    }
}

#[cfg(test)]
mod tests;
