//! Queries of one page.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::error::StoreError;
use super::item::{Item, text};
use super::keys;
use super::op_context::OpContext;
use super::table::Store;
use domain::Timestamp;

/// The table or one of its indexes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Index {
    /// `None` for the table itself.
    pub(super) name: Option<&'static str>,
    pub(super) pk: &'static str,
    pub(super) sk: &'static str,
}

impl Index {
    pub(super) const TABLE: Self = Self { name: None, pk: keys::PK, sk: keys::SK };
    /// The partner's view and the operator's lists.
    pub(super) const PARTNER: Self = Self { name: Some(keys::GSI1), pk: keys::GSI1_PK, sk: keys::LISTED };
    /// The customer's view.
    pub(super) const CUSTOMER: Self = Self { name: Some(keys::GSI2), pk: keys::GSI2_PK, sk: keys::LISTED };
    /// Due work.
    pub(super) const DUE: Self = Self { name: Some(keys::GSI3), pk: keys::GSI3_PK, sk: keys::GSI3_SK };
    /// The partner's grants by their end.
    pub(super) const PARTNER_GRANTS: Self = Self { name: Some(keys::GSI5), pk: keys::GSI1_PK, sk: keys::ENDING };
    /// The customer's grants by their end.
    pub(super) const CUSTOMER_GRANTS: Self = Self { name: Some(keys::GSI6), pk: keys::GSI2_PK, sk: keys::ENDING };
    /// The operator's list of events.
    pub(super) const EVENTS: Self = Self { name: Some(keys::GSI4), pk: keys::GSI4_PK, sk: keys::LISTED };
}

/// A range of sort keys.
#[derive(Clone, Debug)]
pub(super) enum Range {
    /// The sort keys that begin so; all if it is empty.
    Prefix(String),
    /// From the first to the second, both included.
    Between(String, String),
}

/// A filter expression, and the values of its placeholders.
pub(super) type Filter = (String, HashMap<String, AttributeValue>);

/// A query for one page.
#[derive(Clone, Debug)]
pub(super) struct PageQuery {
    pub(super) index: Index,
    pub(super) partition: String,
    pub(super) range: Range,
    /// The number of items to read, before the filter.
    pub(super) limit: usize,
    /// The position after which the page starts.
    pub(super) start: Option<Item>,
    pub(super) ascending: bool,
    /// Strongly consistent. Only the table supports this, not the indexes.
    pub(super) consistent: bool,
    pub(super) filter: Option<Filter>,
}

impl PageQuery {
    /// The items of a partition of due work that are due at `until` or earlier, longest due first.
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
    /// The items that passed the filter.
    pub(super) items: Vec<Item>,
    /// The start of the next page; `None` at the end.
    pub(super) next: Option<Item>,
}

impl Store {
    /// # Errors
    /// [`StoreError`] if the table does not respond or rejects the query.
    pub(super) async fn query(&self, op: OpContext, query: &PageQuery) -> Result<ItemPage, StoreError> {
        let limit = i32::try_from(query.limit).unwrap_or(i32::MAX);
        let client = self.client()?;
        self.reading("Query", op, || async {
            let mut call = client.query().table_name(&self.table).set_index_name(query.index.name.map(str::to_owned));
            call = call.expression_attribute_names("#pk", query.index.pk);
            call = call.expression_attribute_values(":pk", text(&query.partition));
            call = match &query.range {
                Range::Prefix(prefix) if prefix.is_empty() => call.key_condition_expression("#pk = :pk"),
                Range::Prefix(prefix) => call
                    .key_condition_expression("#pk = :pk AND begins_with(#sk, :from)")
                    .expression_attribute_names("#sk", query.index.sk)
                    .expression_attribute_values(":from", text(prefix)),
                Range::Between(from, to) => call
                    .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
                    .expression_attribute_names("#sk", query.index.sk)
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
}
