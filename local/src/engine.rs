//! The embedded DynamoDB engine, in this process but behind HTTP: the functions call it as they call AWS.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dynoxide::{Database, DynoxideError};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::net::{Bound, ListenError};

/// How long running calls may take to finish after the stop.
const GRACE: Duration = Duration::from_secs(2);

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(
        "cannot open the database {path}: {reason}. Restore the file from a backup, or choose another folder with \
         --data-dir",
        path = .path.display(), reason = plain(.reason)
    )]
    Open { path: PathBuf, reason: Box<DynoxideError> },
    #[error("the path {} is not valid UTF-8; choose another folder with --data-dir", .0.display())]
    PathNotUtf8(PathBuf),
    #[error("cannot create a database in memory: {}", plain(.0))]
    Memory(Box<DynoxideError>),
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// The engine's reason, without its prefix for the HTTP API and its advice about encryption, which is not supported here.
fn plain(error: &DynoxideError) -> String {
    let text = error.to_string();
    let reason = text.strip_prefix("Internal error: ").unwrap_or(&text);
    reason.split_once(". ").map_or(reason, |(first, _)| first).to_owned()
}

/// A running engine. Dropping it stops it at once.
pub struct Engine {
    endpoint: String,
    stop: oneshot::Sender<()>,
    // A set and not a handle, because a set aborts its task when it is dropped.
    server: JoinSet<Result<(), String>>,
}

impl Engine {
    /// Starts an engine in memory, or over a file.
    ///
    /// # Errors
    /// [`EngineError`] if the address is in use or the file is not a database.
    pub async fn start(address: SocketAddr, file: Option<&Path>) -> Result<Self, EngineError> {
        Self::serve(address, open(file)?).await
    }

    /// Starts an engine in memory over a copy of a file. The file may be in use.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub async fn start_over_copy(address: SocketAddr, file: &Path) -> Result<Self, EngineError> {
        let database = open(None)?;
        let copied = database.restore_from(utf8(file)?);
        copied.map_err(|error| EngineError::Open { path: file.to_owned(), reason: Box::new(error) })?;
        Self::serve(address, database).await
    }

    async fn serve(address: SocketAddr, database: Database) -> Result<Self, EngineError> {
        let bound = Bound::to(address).await?;
        let endpoint = bound.url();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut server = JoinSet::new();
        server.spawn(dynoxide::server::serve_with_shutdown(bound.into_listener(), database, async {
            let _ = stopped.await;
        }));
        Ok(Self { endpoint, stop, server })
    }

    /// `http://address:port`, reachable from this machine.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Lets running calls finish and stops.
    pub async fn stop(mut self) {
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(GRACE, self.server.join_next()).await;
    }
}

fn open(file: Option<&Path>) -> Result<Database, EngineError> {
    let Some(file) = file else {
        return Database::memory().map_err(|error| EngineError::Memory(Box::new(error)));
    };
    let opened = Database::new(utf8(file)?);
    opened.map_err(|error| EngineError::Open { path: file.to_owned(), reason: Box::new(error) })
}

/// The engine takes paths as text.
fn utf8(file: &Path) -> Result<&str, EngineError> {
    file.to_str().ok_or_else(|| EngineError::PathNotUtf8(file.to_owned()))
}
