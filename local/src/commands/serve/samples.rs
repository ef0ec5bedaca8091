//! The samples of a run.

use local::samples::{self, Samples, SeedError};
use local::{DataDirError, Local};

pub enum Seeded {
    Created(Box<Samples>),
    /// By `--no-samples`.
    Disabled,
    /// Another operator key issued the sample keys in this data folder.
    OtherOperator,
    Failed(SeedError),
}

/// Creates the samples, or finds those of an earlier run.
pub async fn seed(local: &Local) -> Result<Seeded, DataDirError> {
    let operator_key = local.operator_key();
    if let Some(dir) = local.data_dir()
        && !dir.issues_samples(&operator_key.hash())?
    {
        return Ok(Seeded::OtherOperator);
    }
    Ok(match samples::seed(local.base_url(), operator_key).await {
        Ok(samples) => Seeded::Created(Box::new(samples)),
        Err(error) => Seeded::Failed(error),
    })
}
