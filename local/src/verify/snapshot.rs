//! A copy of a database, taken by reading files only. The folder may be read-only or in use.
//!
//! SQLite appends commits to the file `-wal` and copies them into the database file later. So the database file is read first:
//! pages that are written meanwhile are still in the `-wal` file. That file starts again with other random numbers in its header.
//! If the header is the same before and after, the copy is the state at one moment.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use platform::random::{Random, SystemRandom};

const DATABASE: &str = "multipartner.db";
/// How often a copy is started again because the files changed.
const TRIES: usize = 100;
/// The header of a `-wal` file.
const HEADER: usize = 32;

/// A copy in a folder of its own, which is removed when this is dropped.
#[derive(Debug)]
pub struct Snapshot {
    folder: PathBuf,
}

impl Snapshot {
    /// Copies a database.
    ///
    /// # Errors
    /// A file cannot be read, or changed with every try.
    pub fn take(database: &Path) -> io::Result<Self> {
        let id = HEXLOWER.encode(&SystemRandom.bytes()[..16]);
        let folder = std::env::temp_dir().join(format!("multipartner-verify-{id}"));
        create_private(&folder)?;
        let snapshot = Self { folder };
        let (copy, wal) = (snapshot.database(), wal_of(database));
        for _ in 0..TRIES {
            let before = Version::of(database, &wal)?;
            copy_file(database, &copy)?;
            match copy_file(&wal, &wal_of(&copy)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => remove(&wal_of(&copy))?,
                copied => copied?,
            }
            if Version::of(database, &wal)? == before {
                return Ok(snapshot);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "the database changes faster than it can be copied; stop the program that writes, and run verify again",
        ))
    }

    pub fn database(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What differs after the `-wal` file has started again.
#[derive(Debug, PartialEq, Eq)]
enum Version {
    Header(Vec<u8>),
    /// Without a `-wal` file only the database file changes.
    Database(u64, Option<SystemTime>),
}

impl Version {
    fn of(database: &Path, wal: &Path) -> io::Result<Self> {
        let mut header = Vec::new();
        match File::open(wal) {
            Ok(file) => drop(file.take(HEADER as u64).read_to_end(&mut header)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if header.len() == HEADER {
            return Ok(Self::Header(header));
        }
        let metadata = fs::metadata(database)?;
        Ok(Self::Database(metadata.len(), metadata.modified().ok()))
    }
}

fn wal_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Copies the bytes, not the permissions: the original may be read-only.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::copy(&mut source, &mut options.open(to)?).map(drop)
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
