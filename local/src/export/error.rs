//! Why an export stopped.

use std::io;

use super::columns::What;
use crate::client::ClientError;

/// Why an export stopped. What was written before is complete up to a record.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{what} are exported with the key of {needed}")]
    WrongKey { what: What, needed: &'static str },
    #[error("--partner-id is only for an operator's key; others export their own records")]
    NotOperator,
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
}
