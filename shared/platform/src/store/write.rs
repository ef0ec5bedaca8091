//! One write of a transaction with its guard: the condition under which it may happen.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        AttributeValue, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update,
    },
};

use super::item::{Item, text};
use super::keys::{self, Key};

#[derive(Clone, Debug)]
enum Kind {
    Put(Item),
    Update(Key, String),
    Check(Key),
}

/// A write and its guard. A refused guard answers with the item that stood in the way.
#[derive(Clone, Debug)]
pub(super) struct Write {
    kind: Kind,
    guard: String,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Write {
    fn new(kind: Kind, guard: &str) -> Self {
        Self { kind, guard: guard.to_owned(), names: HashMap::new(), values: HashMap::new() }
    }

    /// A new item. Nothing is ever overwritten: this is the only way to put an item, and its guard is that there is none.
    pub(super) fn create(item: Item) -> Self {
        Self::new(Kind::Put(item), "attribute_not_exists(pk)")
    }

    /// A change of an item by an update expression.
    pub(super) fn update(key: Key, expression: &str, guard: &str) -> Self {
        Self::new(Kind::Update(key, expression.to_owned()), guard)
    }

    /// No change, only a guard.
    pub(super) fn check(key: Key, guard: &str) -> Self {
        Self::new(Kind::Check(key), guard)
    }

    /// Gives a `:placeholder` its value.
    pub(super) fn value(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }

    /// Gives a `:placeholder` a text.
    pub(super) fn text(self, placeholder: &str, value: impl Into<String>) -> Self {
        self.value(placeholder, text(value))
    }

    /// Gives a `#placeholder` the attribute it stands for.
    pub(super) fn name(mut self, placeholder: &str, attribute: impl Into<String>) -> Self {
        self.names.insert(placeholder.to_owned(), attribute.into());
        self
    }

    /// The SDK's form.
    pub(super) fn build(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let names = (!self.names.is_empty()).then(|| self.names.clone());
        let values = (!self.values.is_empty()).then(|| self.values.clone());
        let built = TransactWriteItem::builder();
        Ok(match &self.kind {
            Kind::Put(item) => {
                let put = Put::builder().table_name(table).set_item(Some(item.clone()));
                let put = put.condition_expression(&self.guard).set_expression_attribute_names(names);
                let put = put.set_expression_attribute_values(values).return_values_on_condition_check_failure(AllOld);
                built.put(put.build()?)
            }
            Kind::Update(key, expression) => {
                let update = Update::builder().table_name(table).set_key(Some(key_item(key)));
                let update = update.update_expression(expression).condition_expression(&self.guard);
                let update = update.set_expression_attribute_names(names).set_expression_attribute_values(values);
                built.update(update.return_values_on_condition_check_failure(AllOld).build()?)
            }
            Kind::Check(key) => {
                let check = ConditionCheck::builder().table_name(table).set_key(Some(key_item(key)));
                let check = check.condition_expression(&self.guard).set_expression_attribute_names(names);
                let check = check.set_expression_attribute_values(values);
                built.condition_check(check.return_values_on_condition_check_failure(AllOld).build()?)
            }
        }
        .build())
    }
}

/// A key as the SDK wants it.
pub(super) fn key_item(key: &Key) -> Item {
    HashMap::from([(keys::PK.to_owned(), text(&key.pk)), (keys::SK.to_owned(), text(&key.sk))])
}

/// The key of an item.
pub(super) fn key_of(item: &Item) -> Option<Key> {
    let part = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    Some(Key { pk: part(keys::PK)?, sk: part(keys::SK)? })
}
