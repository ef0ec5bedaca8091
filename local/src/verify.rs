//! Checks that the events of a table are those that were written, by recomputing the hash chain of every record.

use std::path::{Path, PathBuf};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::scan::ScanError;
use platform::store::{Audit, AuditError, Audited};

use crate::data_dir::{DataDir, DataDirError};
use crate::engine::{Engine, EngineError};
use crate::table::TABLE;

/// The events could not be read, or are not those that were written.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("no Multipartner data found in {}", .0.display())]
    NoData(PathBuf),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("cannot read the table: {}", DisplayErrorContext(.0))]
    Table(Box<ScanError>),
    #[error("the events have been changed: {0}")]
    Broken(#[from] AuditError),
}

/// Checks a data folder, which may be in use. It changes no data.
///
/// # Errors
/// [`VerifyError`], with the first broken chain.
pub async fn verify(data_dir: &Path) -> Result<Audited, VerifyError> {
    if data_dir.is_file() {
        return Err(DataDirError::NotAFolder(data_dir.to_owned()).into());
    }
    let file = DataDir::database_in(data_dir);
    if !file.is_file() {
        return Err(VerifyError::NoData(data_dir.to_owned()));
    }
    let engine = Engine::copy_of(&file)?;
    audit(&engine.client(), TABLE).await
}

/// Checks a table by reading all of it. This is for operators and tests; no function does it.
///
/// # Errors
/// [`VerifyError`], with the first broken chain.
pub async fn audit(client: &Client, table: &str) -> Result<Audited, VerifyError> {
    let mut audit = Audit::default();
    let mut start = None;
    loop {
        let page = client.scan().table_name(table).consistent_read(true).set_exclusive_start_key(start).send().await;
        let page = page.map_err(|error| VerifyError::Table(Box::new(error.into_service_error())))?;
        for item in page.items() {
            audit.take(item).map_err(AuditError::from)?;
        }
        start = page.last_evaluated_key;
        if start.is_none() {
            return Ok(audit.finish()?);
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use crate::testing::Folder;
    use crate::{Local, Options, samples, start};

    async fn seeded(folder: &Folder) -> Local {
        let local = start(Options { data_dir: Some(folder.0.clone()), ..Options::default() }).await.unwrap();
        samples::seed(local.base_url(), local.operator_key()).await.unwrap();
        local
    }

    #[tokio::test]
    async fn a_folder_is_verified_in_use_and_after_the_stop_without_changing_it() {
        let folder = Folder::new();
        let local = seeded(&folder).await;
        let in_use = verify(&folder.0).await.unwrap();
        assert!(in_use.aggregates > 5 && in_use.events > 5, "{in_use:?}");
        local.stop().await;
        let before = std::fs::read(DataDir::database_in(&folder.0)).unwrap();
        assert_eq!(verify(&folder.0).await.unwrap(), in_use);
        assert!(std::fs::read(DataDir::database_in(&folder.0)).unwrap() == before);
    }

    #[tokio::test]
    async fn a_changed_event_is_named() {
        let folder = Folder::new();
        let local = seeded(&folder).await;
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let pk = format!("EVENTS#SUBSCRIPTION#{}", "public#fabrikam-1");
        let change = local.client().update_item().table_name(TABLE).key("pk", text(&pk)).key("sk", text("0000000001"));
        let change = change.update_expression("SET event_data = :data").condition_expression("attribute_exists(pk)");
        change.expression_attribute_values(":data", text("{}")).send().await.unwrap();
        local.stop().await;
        let error = verify(&folder.0).await.unwrap_err().to_string();
        assert!(error.ends_with("SUBSCRIPTION#public#fabrikam-1: event 1 does not match its hash"), "{error}");
    }

    #[tokio::test]
    async fn a_folder_without_data_is_not_created_or_changed() {
        let folder = Folder::new();
        assert!(matches!(verify(&folder.0).await, Err(VerifyError::NoData(_))));
        assert!(!folder.0.exists());
        std::fs::create_dir(&folder.0).unwrap();
        std::fs::write(DataDir::database_in(&folder.0), "no database").unwrap();
        assert!(matches!(verify(&folder.0).await, Err(VerifyError::Engine(_))));
    }
}
