//! The embedded DynamoDB engine, in this process and behind HTTP: the functions talk to it exactly as they talk to AWS.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::{StartError, listen};

/// How long running calls may take to finish after the stop.
const GRACE: Duration = Duration::from_secs(2);

/// A running engine. Dropping it stops it at once.
pub struct Engine {
    endpoint: String,
    stop: oneshot::Sender<()>,
    // A set and not a handle, because a set ends its task when it is dropped.
    server: JoinSet<Result<(), String>>,
}

impl Engine {
    /// Starts an engine in memory, or over a file.
    ///
    /// # Errors
    /// [`StartError`] when the address is taken or the file is no database.
    pub async fn start(address: SocketAddr, file: Option<&Path>) -> Result<Self, StartError> {
        Self::serve(address, open(file)?).await
    }

    /// Starts an engine in memory over a copy of a file, which may be in use and is only read.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub async fn start_over_copy(address: SocketAddr, file: &Path) -> Result<Self, StartError> {
        let database = open(None)?;
        let path = utf8(file)?;
        database.restore_from(path).map_err(|error| StartError::Engine(format!("{path}: {error}")))?;
        Self::serve(address, database).await
    }

    async fn serve(address: SocketAddr, database: Database) -> Result<Self, StartError> {
        let listener = listen(address).await?;
        let endpoint = format!("http://{}", reachable(&listener, address)?);
        let (stop, stopped) = oneshot::channel::<()>();
        let mut server = JoinSet::new();
        server.spawn(dynoxide::server::serve_with_shutdown(listener, database, async {
            let _ = stopped.await;
        }));
        Ok(Self { endpoint, stop, server })
    }

    /// Where it answers on this machine.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Lets running calls finish and stops.
    pub async fn stop(mut self) {
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(GRACE, self.server.join_next()).await;
    }
}

fn open(file: Option<&Path>) -> Result<Database, StartError> {
    let failed = |error: &dyn std::fmt::Display| StartError::Engine(error.to_string());
    let Some(file) = file else {
        return Database::memory().map_err(|error| failed(&error));
    };
    let path = utf8(file)?;
    Database::new(path).map_err(|error| failed(&format!("{path}: {error}")))
}

/// The engine takes paths as text.
fn utf8(file: &Path) -> Result<&str, StartError> {
    file.to_str().ok_or_else(|| StartError::Engine("the path of the data folder is not UTF-8".into()))
}

/// The address to reach a listener by; one that listens everywhere is reached over loopback.
pub fn reachable(listener: &TcpListener, asked: SocketAddr) -> Result<SocketAddr, StartError> {
    let mut address = listener.local_addr().map_err(|error| StartError::Listen(asked, error))?;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    Ok(address)
}
