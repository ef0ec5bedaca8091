//! Reads a file line by line into what is to be done.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use super::error::FileError;
use super::header::Header;
use super::item::{Item, Parsed};
use super::kind::Kind;
use super::row::{Outcome, Row, code};
use super::source::Source;
use crate::csv::{Record, Records, Wrong};

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// It is not sent, and this is its result.
    Known(Row),
    Item(Item),
}

/// A file that was read once and found to be well-formed as a whole.
pub struct CheckedFile {
    kind: Kind,
    source: Source,
    /// Lines without the first.
    pub lines: u64,
}

pub struct Lines {
    records: Records<Source>,
    header: Header,
    seen: Seen,
    path: std::path::PathBuf,
}

impl CheckedFile {
    /// Reads a file once.
    ///
    /// # Errors
    /// [`FileError`] if it cannot be read, is not UTF-8, or has wrong columns.
    pub fn new(kind: Kind, path: &Path) -> Result<Self, FileError> {
        let mut records = Records::new(Source::open(path)?);
        read_header(kind, path, &mut records)?;
        let mut lines = 0;
        while let Some(record) = next(path, &mut records)? {
            if let Err((line, Wrong::Unclosed { last })) = record {
                return Err(FileError::Quotes { path: path.to_owned(), line, last });
            }
            lines += 1;
        }
        Ok(Self { kind, source: records.into_inner(), lines })
    }

    /// Starts the second reading.
    ///
    /// # Errors
    /// [`FileError`] if the file has changed or cannot be read.
    pub fn read(self, path: &Path) -> Result<Lines, FileError> {
        let mut records = Records::new(self.source.again()?);
        let header = read_header(self.kind, path, &mut records)?;
        Ok(Lines { records, header, seen: Seen::default(), path: path.to_owned() })
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl Lines {
    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// [`FileError`] if the file has changed or cannot be read.
    pub fn next(&mut self) -> Result<Option<Line>, FileError> {
        let Some(record) = next(&self.path, &mut self.records)? else { return Ok(None) };
        Ok(Some(match record {
            Ok(record) => self.line(&record),
            Err((line, wrong)) => Line::Known(invalid(line, wrong.to_string())),
        }))
    }

    fn line(&mut self, record: &Record) -> Line {
        let kind = self.header.kind();
        let read = self.header.named(record).and_then(|named| Item::read(kind, record.line, &named));
        match read {
            Ok(Parsed::Item(item)) => self.seen.add(kind, item),
            Ok(Parsed::Skipped(why)) => Line::Known(Row::new(record.line, Outcome::Skipped, why)),
            Err(faults) => Line::Known(invalid(record.line, faults)),
        }
    }
}

fn invalid(line: u64, why: String) -> Row {
    Row::new(line, Outcome::Failed, why).with_code(code::LINE_INVALID)
}

type Read = Option<Result<Record, (u64, Wrong)>>;

fn next(path: &Path, records: &mut Records<Source>) -> Result<Read, FileError> {
    records.next_record().map_err(|error| file_error(path, error))
}

fn read_header(kind: Kind, path: &Path, records: &mut Records<Source>) -> Result<Header, FileError> {
    let first = next(path, records)?;
    Header::read(kind, first).map_err(|fault| FileError::Header(path.to_owned(), fault))
}

fn file_error(path: &Path, error: io::Error) -> FileError {
    error.downcast::<FileError>().unwrap_or_else(|error| FileError::Unreadable(path.to_owned(), error))
}

/// The lines so far, by the hash of what identifies their record: 24 bytes for each.
#[derive(Default)]
struct Seen(HashMap<[u8; 8], (u64, [u8; 8])>);

impl Seen {
    fn add(&mut self, kind: Kind, item: Item) -> Line {
        let content = first_bytes(&item.content(kind));
        let key = first_bytes(&domain::digest("line", &[item.key.as_bytes()]));
        match self.0.get(&key).copied() {
            None => {
                self.0.insert(key, (item.line, content));
                Line::Item(item)
            }
            Some((line, same)) if same == content => {
                Line::Known(Row::new(item.line, Outcome::Duplicate, format!("the same as line {line}")))
            }
            Some((line, _)) => {
                let message = format!("line {line} has the same id and other content. Only that line was sent");
                Line::Known(Row::new(item.line, Outcome::Failed, message).with_code(code::LINE_CONFLICT))
            }
        }
    }
}

fn first_bytes(hash: &[u8; 32]) -> [u8; 8] {
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    first
}
