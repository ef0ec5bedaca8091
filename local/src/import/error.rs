//! Why an import does not start, or stops.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::kind::Kind;

/// What is wrong with the file as a whole.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read {path}: {error}", path = .0.display(), error = .1)]
    Unreadable(PathBuf, io::Error),
    #[error("{path} is not a file. A file is expected, because it is read twice", path = .0.display())]
    NotAFile(PathBuf),
    #[error("{path}: {fault}", path = .0.display(), fault = .1)]
    Encoding(PathBuf, EncodingFault),
    #[error(
        "{path}: line {line}: a quotation mark is opened and not closed; lines {line} to {last} were read as one. Nothing was sent",
        path = .path.display()
    )]
    Quotes { path: PathBuf, line: u64, last: u64 },
    #[error("cannot create {path}: {error}. Nothing was sent", path = .0.display(), error = .1)]
    Uncreatable(PathBuf, io::Error),
    #[error("{path}: {fault}", path = .0.display(), fault = .1)]
    Header(PathBuf, HeaderFault),
    #[error(
        "{path} changed while it was read. Lines before the change were sent. Run the same command again when no other program \
         writes the file",
        path = .0.display()
    )]
    Changed(PathBuf),
    #[error("{path} exists. Choose another file with --results", path = .0.display())]
    ResultsExist(PathBuf),
    #[error("cannot write {path}: {error}", path = .0.display(), error = .1)]
    Unwritable(PathBuf, io::Error),
}

impl FileError {
    /// Whether it was found before anything was sent.
    pub fn is_before_sending(&self) -> bool {
        !matches!(self, Self::Changed(_) | Self::Unwritable(..))
    }
}

/// The first byte that is not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodingFault {
    /// Bytes before it in the file.
    pub offset: u64,
    pub line: u64,
    pub byte: u8,
    pub is_utf16: bool,
}

impl fmt::Display for EncodingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_utf16 {
            return write!(f, "the file is UTF-16. Save it as UTF-8. Nothing was sent");
        }
        let Self { offset, line, byte, .. } = self;
        write!(
            f,
            "the byte 0x{byte:02X} at offset {offset} (line {line}) is not UTF-8. Save the file as UTF-8. Nothing was sent"
        )
    }
}

/// What is wrong with the first line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    #[error("the file is empty. The first line must name the columns: {columns}", columns = .0.columns())]
    Empty(Kind),
    #[error("the first line cannot be read: {0}")]
    Wrong(crate::csv::Wrong),
    #[error("the columns must be separated by commas, and the first line has none")]
    Separator,
    #[error("unknown column `{name}`. The columns of {kind} are: {columns}", columns = .kind.columns())]
    Unknown { kind: Kind, name: String },
    #[error("duplicate column `{0}`")]
    Twice(&'static str),
    #[error("the column `{name}` is missing. The columns of {kind} are: {columns}", columns = .kind.columns())]
    Missing { kind: Kind, name: &'static str },
}
