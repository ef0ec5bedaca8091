//! Why a measurement stops.

use std::io;
use std::path::Path;

#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("{what} is not the expected JSON: {source}")]
    Json { what: String, source: serde_json::Error },
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("{0} does not exist; build it first, or name its folder with an option (see --help)")]
    NotBuilt(String),
    #[error("{program} did not answer within {seconds} s ({state}). Its last output:\n{output}")]
    Silent { program: String, seconds: u64, state: String, output: String },
    #[error("{what} returned {got}, expected {expected}")]
    Unexpected { what: String, expected: String, got: String },
    #[error("{0} differences between a peer and the functions; see above")]
    NotTheSame(usize),
}

pub type Result<T> = std::result::Result<T, BenchError>;

/// Names what was done when an I/O error happened.
pub trait During<T> {
    /// # Errors
    /// [`BenchError::Io`].
    fn during(self, what: &str) -> Result<T>;

    /// # Errors
    /// [`BenchError::Io`].
    fn on(self, path: &Path) -> Result<T>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, what: &str) -> Result<T> {
        self.map_err(|source| BenchError::Io { what: what.to_owned(), source })
    }

    fn on(self, path: &Path) -> Result<T> {
        self.during(&path.display().to_string())
    }
}

/// # Errors
/// [`BenchError::Json`].
pub fn json(what: &str, bytes: &[u8]) -> Result<serde_json::Value> {
    serde_json::from_slice(bytes).map_err(|source| BenchError::Json { what: what.to_owned(), source })
}
