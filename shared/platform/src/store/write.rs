//! One write of a transaction, with the condition under which it may happen.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        AttributeValue, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update,
    },
};

use super::item::{Item, key_item, key_of, text};
use super::keys::Key;

#[derive(Clone, Debug)]
enum Kind {
    Put(Item),
    Update { key: Key, set: Vec<String>, remove: Vec<String> },
    Check(Key),
}

/// What a write does to one attribute.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    Value(AttributeValue),
    /// The attribute gets the value unless it has one.
    IfAbsent(AttributeValue),
    Removed,
    /// The value depends on what the item had before.
    Computed,
}

/// A write and its guard. If the guard fails, DynamoDB returns the conflicting item.
#[derive(Clone, Debug)]
pub(super) struct Write {
    kind: Kind,
    guard: String,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Write {
    fn new(kind: Kind, guard: impl Into<String>) -> Self {
        Self { kind, guard: guard.into(), names: HashMap::new(), values: HashMap::new() }
    }

    /// Puts a new item. There is no other way to put an item, so none is ever overwritten.
    pub(super) fn create(item: Item) -> Self {
        Self::new(Kind::Put(item), "attribute_not_exists(pk)")
    }

    pub(super) fn update(key: Key, guard: impl Into<String>) -> Self {
        Self::new(Kind::Update { key, set: Vec::new(), remove: Vec::new() }, guard)
    }

    /// Only checks the guard.
    pub(super) fn check(key: Key, guard: impl Into<String>) -> Self {
        Self::new(Kind::Check(key), guard)
    }

    /// Adds assignments to an update: `a = :a, b = :b`.
    pub(super) fn set(mut self, assignments: impl Into<String>) -> Self {
        if let Kind::Update { set, .. } = &mut self.kind {
            set.push(assignments.into());
        }
        self
    }

    /// Adds attributes that an update removes: `a, b`.
    pub(super) fn remove(mut self, attributes: impl Into<String>) -> Self {
        if let Kind::Update { remove, .. } = &mut self.kind {
            remove.push(attributes.into());
        }
        self
    }

    /// Sets an attribute, or removes it if there is no value.
    pub(super) fn set_or_remove(self, name: &str, placeholder: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(format!("{name} = {placeholder}")).value(placeholder, value),
            None => self.remove(name),
        }
    }

    /// Adds a condition to the guard.
    pub(super) fn and(mut self, condition: &str) -> Self {
        self.guard = format!("{} AND {condition}", self.guard);
        self
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

    /// Gives a `#placeholder` the name of an attribute.
    pub(super) fn name(mut self, placeholder: &str, attribute: impl Into<String>) -> Self {
        self.names.insert(placeholder.to_owned(), attribute.into());
        self
    }

    /// Gives an attribute a value, in a put or an update. In an update, `:name` must be free.
    pub(super) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        match &mut self.kind {
            Kind::Put(item) => {
                item.insert(name.to_owned(), value);
                self
            }
            _ => {
                let placeholder = format!(":{name}");
                self.set(format!("{name} = {placeholder}")).value(&placeholder, value)
            }
        }
    }

    /// The key of the item that this writes or checks.
    pub(super) fn key(&self) -> Option<Key> {
        match &self.kind {
            Kind::Put(item) => key_of(item),
            Kind::Update { key, .. } | Kind::Check(key) => Some(key.clone()),
        }
    }

    /// Whether this writes or checks the item with this key.
    pub(super) fn is_to(&self, key: &Key) -> bool {
        self.key().as_ref() == Some(key)
    }

    /// What this does to each attribute that it names.
    pub(super) fn effects(&self) -> Vec<(String, Effect)> {
        match &self.kind {
            Kind::Put(item) => item.iter().map(|(name, value)| (name.clone(), Effect::Value(value.clone()))).collect(),
            Kind::Update { set, remove, .. } => {
                let assignments = set.iter().flat_map(|text| split(text)).filter_map(|text| text.split_once('='));
                let set = assignments.map(|(name, value)| (self.attribute(name), self.effect(value)));
                let removed = remove.iter().flat_map(|text| split(text));
                set.chain(removed.map(|name| (self.attribute(name), Effect::Removed))).collect()
            }
            Kind::Check(_) => Vec::new(),
        }
    }

    /// The attribute that an expression names.
    fn attribute(&self, name: &str) -> String {
        self.names.get(name.trim()).cloned().unwrap_or_else(|| name.trim().to_owned())
    }

    fn effect(&self, expression: &str) -> Effect {
        let expression = expression.trim();
        let if_absent = expression.strip_prefix("if_not_exists(").and_then(|rest| rest.strip_suffix(')'));
        let default = if_absent.and_then(|arguments| self.values.get(arguments.split_once(',')?.1.trim()));
        match (self.values.get(expression), default) {
            (Some(value), _) => Effect::Value(value.clone()),
            (None, Some(value)) => Effect::IfAbsent(value.clone()),
            (None, None) => Effect::Computed,
        }
    }

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
            Kind::Update { key, set, remove } => {
                let update = Update::builder().table_name(table).set_key(Some(key_item(key)));
                let update = update.update_expression(expression(set, remove)).condition_expression(&self.guard);
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

/// The parts of a list, at the commas outside of parentheses.
fn split(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    list.split(move |char| {
        depth += i32::from(char == '(') - i32::from(char == ')');
        char == ',' && depth == 0
    })
}

fn expression(set: &[String], remove: &[String]) -> String {
    let clause = |word: &str, parts: &[String]| (!parts.is_empty()).then(|| format!("{word} {}", parts.join(", ")));
    let clauses = [clause("SET", set), clause("REMOVE", remove)];
    clauses.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
