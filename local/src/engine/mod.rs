//! The embedded DynamoDB engine, in this process. The SDK's client reaches it by [`Engine::http_client`], without a socket, so
//! no other program and no web page can.

mod error;
mod http_client;
mod integrity;
mod marks;
mod opened;
mod operations;
mod rejected;
pub mod server;
mod tokens;

use std::path::Path;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::SharedHttpClient;
use dynoxide::Database;
use platform::store::{Waiting, client};
use serde_json::Value;

use self::error::open_error;
use self::http_client::InProcess;
use self::marks::Marked;
use self::opened::Opened;
use crate::table::table_config;

pub use self::error::EngineError;

/// An open database. Clones share it, and the last one closes it.
#[derive(Clone)]
pub struct Engine(Opened);

impl Engine {
    /// An empty database in memory.
    ///
    /// # Errors
    /// [`EngineError::Memory`].
    pub fn memory() -> Result<Self, EngineError> {
        Ok(Self(Opened::new(Database::memory().map_err(|error| EngineError::Memory(Box::new(error)))?)))
    }

    /// Opens a file, or creates it.
    ///
    /// # Errors
    /// [`EngineError`] if the file is damaged or not a database.
    pub fn open(file: &Path) -> Result<Self, EngineError> {
        integrity::check(file)?;
        let database = Database::new(utf8(file)?).map_err(open_error(file))?;
        Ok(Self(Opened::new(database)))
    }

    /// Writes a copy into a new file.
    ///
    /// # Errors
    /// [`EngineError::Save`].
    pub fn save_to(&self, file: &Path) -> Result<(), EngineError> {
        let saved = self.0.database.vacuum_into(utf8(file)?);
        saved.map_err(|reason| EngineError::Save { path: file.to_owned(), reason: Box::new(reason) })
    }

    /// Replaces all data with a copy of a file.
    ///
    /// # Errors
    /// As [`Engine::open`]. Then the data stays as it was.
    pub fn restore(&self, file: &Path) -> Result<(), EngineError> {
        let path = utf8(file)?;
        self.0.tokens.forget_with(|| self.0.database.restore_from(path).map_err(open_error(file)))?;
        self.0.marks.note(&Marked::All);
        Ok(())
    }

    /// Runs an operation, for example `GetItem`. Returns the HTTP status and the response as JSON.
    pub fn call(&self, operation: &str, request: Value) -> (u16, Value) {
        operations::run(&self.0, operation, request)
    }

    /// The shards of waiting items that may have a new mark, or an earlier one, since the write with this number. Returns the number
    /// of the last write as well. 0 is before all writes.
    pub fn marked_since(&self, seen: u64) -> (u64, Vec<Waiting>) {
        self.0.marks.since(seen)
    }

    /// What the SDK's client sends its requests with.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(InProcess(self.0.clone()))
    }

    /// A client for this engine.
    pub fn client(&self) -> Client {
        client::connect(&table_config().dynamodb, self.http_client())
    }
}

/// The engine takes paths as text.
fn utf8(file: &Path) -> Result<&str, EngineError> {
    file.to_str().ok_or_else(|| EngineError::PathNotUtf8(file.to_owned()))
}
