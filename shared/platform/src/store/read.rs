//! Reading single items, with retries within the operation's time.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::backoff::Backoff;
use super::error::{StoreError, is_throttling, kind};
use super::item::{Item, key_item, key_of};
use super::keys::Key;
use super::op_context::OpContext;
use super::table::Store;

const READ_TRIES: u32 = 3;
const READ_TRY: Duration = Duration::from_millis(1_500);
const READ_BACKOFF: Backoff = Backoff { first: 25, longest: 500 };

impl Store {
    /// One item, strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`] if the table does not respond or rejects the read.
    pub(super) async fn get(&self, op: OpContext, key: &Key) -> Result<Option<Item>, StoreError> {
        let client = self.client()?;
        self.reading("GetItem", op, || async {
            let call = client.get_item().table_name(&self.table).set_key(Some(key_item(key)));
            call.consistent_read(true).send().await.map(|output| output.item)
        })
        .await
    }

    /// The items with these keys, in the same order, in one call. At most 100.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub(super) async fn get_many(
        &self,
        op: OpContext,
        keys: &[Key],
        consistent: bool,
    ) -> Result<Vec<Option<Item>>, StoreError> {
        self.get_needed(op, keys, keys, consistent).await
    }

    /// As [`Store::get_many`], but the call is repeated only for the needed keys. Another one that the table
    /// did not process looks like one without an item.
    pub(super) async fn get_needed(
        &self,
        op: OpContext,
        keys: &[Key],
        needed: &[Key],
        consistent: bool,
    ) -> Result<Vec<Option<Item>>, StoreError> {
        let client = self.client()?;
        let mut found: HashMap<Key, Item> = HashMap::new();
        let mut left: Vec<Item> = keys.iter().collect::<BTreeSet<_>>().into_iter().map(key_item).collect();
        let mut tries = 0;
        while !left.is_empty() {
            let wanted = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(consistent).build();
            let wanted = wanted.map_err(|error| StoreError::failed("BatchGetItem", error))?;
            let output = self
                .reading("BatchGetItem", op, || async {
                    client.batch_get_item().request_items(&self.table, wanted.clone()).send().await
                })
                .await?;
            let items = output.responses.into_iter().flatten().flat_map(|(_, items)| items);
            found.extend(items.filter_map(|item| Some((key_of(&item)?, item))));
            let unprocessed = output.unprocessed_keys.into_iter().flatten().next();
            left = unprocessed.map(|(_, unprocessed)| unprocessed.keys).unwrap_or_default();
            if !left.iter().any(|key| key_of(key).is_none_or(|key| needed.contains(&key))) {
                break;
            }
            tries += 1;
            if tries >= READ_TRIES {
                return Err(StoreError::Throttled);
            }
            self.wait_before_read(op, tries).await?;
        }
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    /// Sends a read, again if it fails in a way that may pass.
    pub(super) async fn reading<T, E, F>(
        &self,
        operation: &'static str,
        op: OpContext,
        call: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        SdkError<E, HttpResponse>: ProvideErrorMetadata,
    {
        let mut tries = 0;
        loop {
            let time = READ_TRY.min(op.deadline.remaining());
            match tokio::time::timeout(time, call()).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) if !is_transient(&error) => return Err(StoreError::from_sdk(operation, &error)),
                Ok(Err(error)) => tracing::warn!(code = error.code(), cause = kind(&error), "a read failed"),
                Err(_) => tracing::warn!("a read timed out"),
            }
            tries += 1;
            if tries >= READ_TRIES {
                return Err(StoreError::Throttled);
            }
            self.wait_before_read(op, tries).await?;
        }
    }

    async fn wait_before_read(&self, op: OpContext, tries: u32) -> Result<(), StoreError> {
        let pause = self.pause(READ_BACKOFF, tries);
        if pause >= op.deadline.remaining() {
            return Err(StoreError::Throttled);
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Whether the same read may succeed a moment later.
fn is_transient<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    SdkError<E, HttpResponse>: ProvideErrorMetadata,
{
    match error {
        // Everything but a client error is a failure of the table or in front of it, or an unreadable response.
        SdkError::ServiceError(context) => {
            !context.raw().status().is_client_error() || error.code().is_some_and(is_throttling)
        }
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    }
}
