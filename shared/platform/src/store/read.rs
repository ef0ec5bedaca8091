//! Reading: single items and pages, with retries within the request's time.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use super::error::{StoreError, is_throttling, kind};
use super::item::{Item, text};
use super::keys::{self, Key};
use super::transact::Backoff;
use super::write::{key_item, key_of};
use super::{OpContext, Store};
use domain::Timestamp;

const READ_TRIES: u32 = 3;
const READ_ATTEMPT: Duration = Duration::from_millis(1_500);
const READ_BACKOFF: Backoff = Backoff { first: 25, longest: 500 };

/// Which index a query walks; the table's own order when it is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Index {
    /// Its name; `None` for the table.
    pub(super) name: Option<&'static str>,
    /// The attribute of its partition key.
    pub(super) pk: &'static str,
    /// The attribute of its sort key.
    pub(super) sk: &'static str,
}

impl Index {
    /// The table itself.
    pub(super) const TABLE: Self = Self { name: None, pk: keys::PK, sk: keys::SK };
    /// The partner's view and the operator's lists.
    pub(super) const PARTNER: Self = Self { name: Some(keys::GSI1), pk: keys::GSI1_PK, sk: keys::LISTED };
    /// The operator's list of events.
    pub(super) const EVENTS: Self = Self { name: Some(keys::GSI4), pk: keys::GSI4_PK, sk: keys::LISTED };
    /// Due work.
    pub(super) const DUE: Self = Self { name: Some(keys::GSI3), pk: keys::GSI3_PK, sk: keys::GSI3_SK };
    /// The customer's view.
    pub(super) const CUSTOMER: Self = Self { name: Some(keys::GSI2), pk: keys::GSI2_PK, sk: keys::LISTED };
}

/// Which sort keys a query wants.
#[derive(Clone, Debug)]
pub(super) enum Range {
    /// Those that begin with this.
    Prefix(String),
    /// Those from the first to the second, both included.
    Between(String, String),
}

/// A query for one page.
#[derive(Clone, Debug)]
pub(super) struct PageQuery {
    /// Where to walk.
    pub(super) index: Index,
    /// The partition.
    pub(super) partition: String,
    /// Which part of the partition.
    pub(super) range: Range,
    /// Items to look at.
    pub(super) limit: usize,
    /// Where to go on.
    pub(super) start: Option<Item>,
    /// Oldest first.
    pub(super) ascending: bool,
    /// Strongly consistent; only the table can.
    pub(super) consistent: bool,
    /// A filter over what was looked at, with its placeholders' values.
    pub(super) filter: Option<(String, HashMap<String, AttributeValue>)>,
}

impl PageQuery {
    /// What is due by then in a partition of the index of due work, longest due first.
    pub(super) fn due(partition: String, until: Timestamp, limit: usize, start: Option<Item>) -> Self {
        Self {
            index: Index::DUE,
            partition,
            range: Range::Between(Timestamp::from_millis(0).sortable(), until.sortable()),
            limit,
            start,
            ascending: true,
            consistent: false,
            filter: None,
        }
    }
}

/// One page.
#[derive(Clone, Debug)]
pub(super) struct ItemPage {
    /// What passed the filter.
    pub(super) items: Vec<Item>,
    /// Where to go on; `None` at the end.
    pub(super) next: Option<Item>,
}

impl Store {
    /// One item, strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`] when the table does not answer or refuses.
    pub(super) async fn get(&self, attempt: OpContext, key: &Key) -> Result<Option<Item>, StoreError> {
        self.reading(attempt, || async {
            let call = self.client.get_item().table_name(&self.table).set_key(Some(key_item(key)));
            call.consistent_read(true).send().await.map(|output| output.item)
        })
        .await
    }

    /// The items of these keys, in their order. At most a page's worth, which is one call.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub(super) async fn get_many(
        &self,
        attempt: OpContext,
        keys: &[Key],
        consistent: bool,
    ) -> Result<Vec<Option<Item>>, StoreError> {
        let mut found: HashMap<Key, Item> = HashMap::new();
        let mut left: Vec<Item> = keys.iter().collect::<BTreeSet<_>>().into_iter().map(key_item).collect();
        let mut tries = 0;
        while !left.is_empty() {
            let wanted = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(consistent).build();
            let wanted = wanted.map_err(|error| StoreError::Failed(error.to_string()))?;
            let output = self
                .reading(attempt, || async {
                    self.client.batch_get_item().request_items(&self.table, wanted.clone()).send().await
                })
                .await?;
            let items = output.responses.into_iter().flatten().flat_map(|(_, items)| items);
            found.extend(items.filter_map(|item| Some((key_of(&item)?, item))));
            let unread = output.unprocessed_keys.into_iter().flatten().next();
            left = unread.map(|(_, unread)| unread.keys).unwrap_or_default();
            if !left.is_empty() {
                // The table did not get to these; the request's time ends the loop.
                tries += 1;
                self.rest(attempt, tries).await?;
            }
        }
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    /// One page of a query.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub(super) async fn query(&self, attempt: OpContext, query: &PageQuery) -> Result<ItemPage, StoreError> {
        let limit = i32::try_from(query.limit).unwrap_or(i32::MAX);
        self.reading(attempt, || async {
            let mut call =
                self.client.query().table_name(&self.table).set_index_name(query.index.name.map(str::to_owned));
            call = call
                .expression_attribute_names("#pk", query.index.pk)
                .expression_attribute_names("#sk", query.index.sk);
            call = call.expression_attribute_values(":pk", text(&query.partition));
            call = match &query.range {
                Range::Prefix(prefix) => call
                    .key_condition_expression("#pk = :pk AND begins_with(#sk, :from)")
                    .expression_attribute_values(":from", text(prefix)),
                Range::Between(from, to) => call
                    .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
                    .expression_attribute_values(":from", text(from))
                    .expression_attribute_values(":to", text(to)),
            };
            if let Some((filter, values)) = &query.filter {
                call = call.filter_expression(filter);
                for (name, value) in values {
                    call = call.expression_attribute_values(name, value.clone());
                }
            }
            call = call.scan_index_forward(query.ascending).limit(limit).consistent_read(query.consistent);
            let output = call.set_exclusive_start_key(query.start.clone()).send().await?;
            Ok(ItemPage { items: output.items.unwrap_or_default(), next: output.last_evaluated_key })
        })
        .await
    }

    async fn reading<T, E, F>(&self, attempt: OpContext, call: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        SdkError<E, HttpResponse>: ProvideErrorMetadata,
    {
        let mut tries = 0;
        loop {
            let time = READ_ATTEMPT.min(attempt.deadline.remaining());
            match tokio::time::timeout(time, call()).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) if !may_pass(&error) => return Err(StoreError::failed("read", &error)),
                Ok(Err(error)) => tracing::warn!(code = error.code(), cause = kind(&error), "a read failed"),
                Err(_) => tracing::warn!("a read had no answer in time"),
            }
            tries += 1;
            if tries >= READ_TRIES {
                return Err(StoreError::Throttled);
            }
            self.rest(attempt, tries).await?;
        }
    }

    /// Waits before the next try, if there is time for one.
    async fn rest(&self, attempt: OpContext, tries: u32) -> Result<(), StoreError> {
        let pause = self.pause(READ_BACKOFF, tries);
        if pause >= attempt.deadline.remaining() {
            return Err(StoreError::Throttled);
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Whether the same read may succeed in a moment.
fn may_pass<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    SdkError<E, HttpResponse>: ProvideErrorMetadata,
{
    match error {
        // What is no refusal is a failure of the table or before it, or an answer that can't be read.
        SdkError::ServiceError(context) => {
            !context.raw().status().is_client_error() || error.code().is_some_and(is_throttling)
        }
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    }
}
