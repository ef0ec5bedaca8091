//! Reading: single items and pages, with retries within the request's time.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;

use super::error::{StoreError, is_throttling};
use super::item::{Item, text};
use super::keys::{self, Key};
use super::transact::Backoff;
use super::write::key_item;
use super::{Attempt, Store};

const READ_TRIES: u32 = 3;
const READ_ATTEMPT: Duration = Duration::from_millis(1_500);
const READ_BACKOFF: Backoff = Backoff { first: 25, longest: 500 };

/// Which index a query walks; the table's own order when it is none.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// Its name; `None` for the table.
    pub name: Option<&'static str>,
    /// The attribute of its partition key.
    pub pk: &'static str,
    /// The attribute of its sort key.
    pub sk: &'static str,
}

impl Index {
    /// The table itself.
    pub const TABLE: Self = Self { name: None, pk: keys::PK, sk: keys::SK };
    /// The partner's view and the operator's lists.
    pub const PARTNER: Self = Self { name: Some(keys::GSI1), pk: keys::GSI1_PK, sk: keys::LISTED };
    /// The operator's list of events.
    pub const EVENTS: Self = Self { name: Some(keys::GSI4), pk: keys::GSI4_PK, sk: keys::LISTED };
    /// Due work.
    pub const DUE: Self = Self { name: Some(keys::GSI3), pk: keys::GSI3_PK, sk: keys::GSI3_SK };
    /// The customer's view.
    pub const CUSTOMER: Self = Self { name: Some(keys::GSI2), pk: keys::GSI2_PK, sk: keys::LISTED };
}

/// Which sort keys a query wants.
#[derive(Clone, Debug)]
pub enum Range {
    /// Those that begin with this.
    Prefix(String),
    /// Those from the first to the second, both included.
    Between(String, String),
}

/// A query for one page.
#[derive(Clone, Debug)]
pub struct PageQuery {
    /// Where to walk.
    pub index: Index,
    /// The partition.
    pub partition: String,
    /// Which part of the partition.
    pub range: Range,
    /// Items to look at.
    pub limit: usize,
    /// Where to go on.
    pub start: Option<Item>,
    /// Oldest first.
    pub ascending: bool,
    /// Strongly consistent; only the table can.
    pub consistent: bool,
    /// A filter over what was looked at, with its placeholders' values.
    pub filter: Option<(String, HashMap<String, AttributeValue>)>,
}

/// One page.
#[derive(Clone, Debug)]
pub struct ItemPage {
    /// What passed the filter.
    pub items: Vec<Item>,
    /// Where to go on; `None` at the end.
    pub next: Option<Item>,
}

impl Store {
    /// One item, strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`] when the table does not answer or refuses.
    pub async fn get(&self, attempt: Attempt, key: &Key) -> Result<Option<Item>, StoreError> {
        self.reading(attempt, || async {
            let call = self.client.get_item().table_name(&self.table).set_key(Some(key_item(key)));
            call.consistent_read(true).send().await.map(|output| output.item)
        })
        .await
    }

    /// One page of a query.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn query(&self, attempt: Attempt, query: &PageQuery) -> Result<ItemPage, StoreError> {
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

    async fn reading<T, E, R, F>(&self, attempt: Attempt, call: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, SdkError<E, R>>>,
        SdkError<E, R>: ProvideErrorMetadata,
    {
        let mut tries = 0;
        loop {
            let time = READ_ATTEMPT.min(attempt.deadline.remaining());
            match tokio::time::timeout(time, call()).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) if !may_pass(&error) => {
                    return Err(StoreError::Failed(format!("read: {}", error.code().unwrap_or("unknown"))));
                }
                Ok(Err(_)) | Err(_) => {}
            }
            tries += 1;
            let pause = self.pause(READ_BACKOFF, tries);
            if tries >= READ_TRIES || pause >= attempt.deadline.remaining() {
                return Err(StoreError::Throttled);
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// Whether the same read may succeed in a moment.
fn may_pass<E, R>(error: &SdkError<E, R>) -> bool
where
    SdkError<E, R>: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(_) => error
            .code()
            .is_some_and(|code| is_throttling(code) || matches!(code, "InternalServerError" | "ServiceUnavailable")),
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    }
}
