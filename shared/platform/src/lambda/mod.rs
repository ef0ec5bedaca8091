//! The entry points of every function: configuration, connections, panics and errors, logs.

mod function;
mod job;
mod log;
mod master_keys;
mod runtime;

pub use function::{Function, invoke, main, main_without_table};
pub use job::{Job, JobError, JobFuture, RunBudget, main_job, run_job};
pub use master_keys::{MasterKeyError, OtherMasterKey, confirm_master_keys};
pub use runtime::{Invocation, StartError};
