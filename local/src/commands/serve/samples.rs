//! The samples of a run.

use std::error::Error;

use local::Local;
use local::samples::{self, Samples, SeedError};

pub enum Seeded {
    Created(Box<Samples>),
    /// By `--no-samples`.
    Disabled,
    /// The data folder has data that is not from samples.
    OwnData,
    /// Another operator key issued the sample keys in this data folder.
    OtherOperator,
    Failed(SeedError),
}

/// Creates the samples, or finds those of an earlier run.
pub async fn seed(local: &Local) -> Result<Seeded, Box<dyn Error>> {
    let operator_key = local.operator_key();
    if let Some(dir) = local.data_dir() {
        if !dir.has_samples() && !is_empty(local).await? {
            return Ok(Seeded::OwnData);
        }
        if !dir.issues_samples(&operator_key.hash())? {
            return Ok(Seeded::OtherOperator);
        }
    }
    Ok(match samples::seed(local.base_url(), operator_key).await {
        Ok(samples) => Seeded::Created(Box::new(samples)),
        Err(error) => Seeded::Failed(error),
    })
}

async fn is_empty(local: &Local) -> Result<bool, Box<dyn Error>> {
    let page = local.client().scan().table_name(local.table()).limit(1).send().await?;
    Ok(page.items().is_empty())
}
