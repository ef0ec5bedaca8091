//! Why the local run did not start, in words for the person who started it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use domain::PolicyError;
use platform::secrets::UnknownMasterKey;
use platform::store::StoreError;

use crate::functions::Mismatch;
use crate::template::TemplateError;

/// Why the local run did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens there.
    #[error("port {} is in use; choose another with --port", .0.port())]
    PortInUse(SocketAddr),
    /// The system does not let us listen there.
    #[error("can't listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The data folder can't be used.
    #[error("the data folder {path} can't be used: {error}", path = .0.display(), error = .1)]
    DataDir(PathBuf, io::Error),
    /// Another process has the data folder.
    #[error("the data folder {} is in use by another process; stop that one or choose another with --data-dir", .0.display())]
    DataDirInUse(PathBuf),
    /// Others can read the master key.
    #[error("{path} can be read by others (mode {mode:03o}); whoever has it can make links and keys: chmod 600 {path}", path = .path.display())]
    MasterKeyExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The master key's file does not hold one.
    #[error("{} does not hold 64 hexadecimal digits; restore it, or start anew with another --data-dir", .0.display())]
    MasterKeyMalformed(PathBuf),
    /// There are data and no key.
    #[error("{} is missing, and the data beside it depend on it; restore it, or start anew with another --data-dir", .0.display())]
    MasterKeyMissing(PathBuf),
    /// The embedded engine did not start.
    #[error("the embedded database did not start: {0}")]
    Engine(String),
    /// The engine did not make the table.
    #[error("the table could not be created: {0}")]
    Table(#[from] StoreError),
    /// The operator's key could not be derived.
    #[error(transparent)]
    MasterKey(#[from] UnknownMasterKey),
    /// The policy file is broken.
    #[error("the policy is not valid: {0}")]
    Policy(#[from] PolicyError),
    /// The template can't be read.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Template and functions disagree.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}
