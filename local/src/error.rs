//! Why the local run did not start.

use domain::PolicyError;
use platform::secrets::UnknownMasterKey;
use platform::store::StoreError;

use crate::data_dir::DataDirError;
use crate::engine::EngineError;
use crate::functions::Mismatch;
use crate::net::ListenError;
use crate::template::TemplateError;

/// Why the local run did not start, in words for the person who started it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("cannot create the table: {0}")]
    Table(#[from] StoreError),
    #[error(transparent)]
    MasterKey(#[from] UnknownMasterKey),
    #[error("the policy is not valid: {0}")]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    #[error(
        "sign-in needs an https address, or http at 127.0.0.1 or localhost, and the address would be {0}; choose another with \
         --host, or unset the variables SIGN_IN_PUBLIC_CLIENT_ID and SIGN_IN_US_GOV_CLIENT_ID"
    )]
    SignInAddress(String),
}
