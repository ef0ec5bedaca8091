//! Why a data folder cannot be used.

use std::io;
use std::path::PathBuf;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error("{} is a file; --data-dir needs a folder", .0.display())]
    NotAFolder(PathBuf),
    #[error("cannot use the data folder: {path}: {error}", path = .0.display(), error = .1)]
    Io(PathBuf, io::Error),
    #[error("the data folder {} is in use by another process; stop it, or choose another folder with --data-dir", .0.display())]
    InUse(PathBuf),
    #[error(
        "other users can read {path} (mode {mode:03o}), and this key can create links and access keys; run: \
         chmod 600 {path}",
        path = .path.display()
    )]
    MasterKeyExposed {
        path: PathBuf,
        /// The permission bits.
        mode: u32,
    },
    #[error(
        "{} does not contain 64 hexadecimal digits; restore the file, or choose another folder with --data-dir",
        .0.display()
    )]
    MasterKeyMalformed(PathBuf),
    #[error(
        "{} is missing, and the data in this folder needs it; restore the file, or choose another folder with --data-dir",
        .0.display()
    )]
    MasterKeyMissing(PathBuf),
    #[error(
        "{} is missing, so the master key cannot be checked against the data in this folder; restore the file, or choose \
         another folder with --data-dir",
        .0.display()
    )]
    MasterKeyUnconfirmed(PathBuf),
    #[error(
        "{} is not the master key of the data in this folder; restore the original file, or choose another folder with \
         --data-dir",
        .0.display()
    )]
    MasterKeyWrong(PathBuf),
}
