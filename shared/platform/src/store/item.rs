//! Building and reading items. An item that cannot be read is a [`CorruptItem`].

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};

use super::keys::{self, Key, Mark};
use crate::metrics;
use domain::{Delivery, Timestamp};

/// An item in the form of the SDK.
pub type Item = HashMap<String, AttributeValue>;

/// The version of the items' format that this code writes and reads.
pub const SCHEMA: u64 = 1;
const SCHEMA_ATTRIBUTE: &str = "v";

/// An item that this code cannot read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("item {pk} / {sk}: attribute {attribute} {problem}")]
pub struct CorruptItem {
    pub pk: String,
    pub sk: String,
    pub attribute: String,
    pub problem: &'static str,
    /// Whether newer code wrote it. It must be left as it is.
    pub is_newer: bool,
}

impl CorruptItem {
    /// The item's name in logs.
    pub fn name(&self) -> String {
        format!("{} / {}", self.pk, self.sk)
    }

    /// Writes the log line that an alarm counts.
    pub fn report(&self) {
        if self.is_newer { metrics::newer_item(&self.name(), self) } else { metrics::poison(&self.name(), self) }
    }
}

/// Skips an item that newer code wrote: it is reported, and the result is `None`. Old code must not fail because of it, and
/// must not change it.
///
/// # Errors
/// [`CorruptItem`] if the item is damaged.
pub fn unless_newer<T>(read: Result<T, CorruptItem>) -> Result<Option<T>, CorruptItem> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(item) if item.is_newer => {
            item.report();
            Ok(None)
        }
        Err(item) => Err(item),
    }
}

#[derive(Debug)]
pub struct ItemBuilder(Item);

impl ItemBuilder {
    /// An item with this key and the current schema version.
    pub fn new(key: Key) -> Self {
        Self(HashMap::new()).text(keys::PK, key.pk).text(keys::SK, key.sk).number(SCHEMA_ATTRIBUTE, SCHEMA)
    }

    pub fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    pub fn text(self, name: &str, value: impl Into<String>) -> Self {
        self.with(name, text(value))
    }

    pub fn maybe(self, name: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub fn maybe_text(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    pub fn number(self, name: &str, value: impl ToString) -> Self {
        self.with(name, number(value))
    }

    pub fn time(self, name: &str, value: Timestamp) -> Self {
        self.number(name, value.millis())
    }

    pub fn maybe_time(self, name: &str, value: Option<Timestamp>) -> Self {
        match value {
            Some(value) => self.time(name, value),
            None => self,
        }
    }

    pub fn hash(self, name: &str, value: &[u8; 32]) -> Self {
        self.with(name, bytes(value))
    }

    /// For a record that has no event yet.
    pub fn no_events(self) -> Self {
        self.number("event_seq", 0).hash("event_hash", &[0; 32])
    }

    /// Puts the item into the index of due work.
    pub fn mark(self, mark: Mark) -> Self {
        self.text(keys::GSI3_PK, mark.partition).text(keys::GSI3_SK, mark.entry)
    }

    pub fn build(self) -> Item {
        self.0
    }
}

pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub fn bytes(value: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// Reads the attributes of an item. A `maybe_` method returns `None` if the attribute is absent.
#[derive(Clone, Copy, Debug)]
pub struct ItemReader<'a>(&'a Item);

impl<'a> ItemReader<'a> {
    /// # Errors
    /// [`CorruptItem`] if the item has another schema version; in the methods below, if the attribute is missing or
    /// malformed.
    pub fn new(item: &'a Item) -> Result<Self, CorruptItem> {
        let reader = Self(item);
        match reader.number::<u64>(SCHEMA_ATTRIBUTE)? {
            SCHEMA => Ok(reader),
            newer if newer > SCHEMA => Err(reader.newer(SCHEMA_ATTRIBUTE, "is a version of newer code")),
            _ => Err(reader.corrupt(SCHEMA_ATTRIBUTE, "is a version that this code cannot read")),
        }
    }

    /// The error for one attribute of this item.
    pub fn corrupt(&self, attribute: &str, problem: &'static str) -> CorruptItem {
        let part = |name| text_of(self.0, name).unwrap_or_default().to_owned();
        CorruptItem {
            pk: part(keys::PK),
            sk: part(keys::SK),
            attribute: attribute.to_owned(),
            problem,
            is_newer: false,
        }
    }

    /// The error for an attribute that only newer code knows.
    pub fn newer(&self, attribute: &str, problem: &'static str) -> CorruptItem {
        CorruptItem { is_newer: true, ..self.corrupt(attribute, problem) }
    }

    /// What `parse` reads from the item's key.
    pub fn key<T>(&self, parse: impl Fn(&Key) -> Option<T>) -> Result<T, CorruptItem> {
        let key = self.need(keys::PK, key_of(self.0))?;
        parse(&key).ok_or_else(|| self.corrupt(keys::PK, "is malformed"))
    }

    /// What `parse` makes of each element of a list attribute.
    pub fn maybe_list<T>(
        &self,
        name: &str,
        parse: impl Fn(&AttributeValue) -> Option<T>,
    ) -> Result<Option<Vec<T>>, CorruptItem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let list = value.as_l().ok().and_then(|list| list.iter().map(parse).collect::<Option<Vec<T>>>());
        list.map(Some).ok_or_else(|| self.corrupt(name, "is malformed"))
    }

    pub fn list<T>(&self, name: &str, parse: impl Fn(&AttributeValue) -> Option<T>) -> Result<Vec<T>, CorruptItem> {
        self.need(name, self.maybe_list(name, parse)?)
    }

    pub fn item(&self) -> &'a Item {
        self.0
    }

    pub fn get(&self, name: &str) -> Option<&'a AttributeValue> {
        self.0.get(name)
    }

    fn need<T>(&self, name: &str, value: Option<T>) -> Result<T, CorruptItem> {
        value.ok_or_else(|| self.corrupt(name, "is missing"))
    }

    pub fn maybe_text(&self, name: &str) -> Result<Option<&'a str>, CorruptItem> {
        let value = self.get(name).map(|value| value.as_s().map_err(|_| self.corrupt(name, "is not text")));
        Ok(value.transpose()?.map(String::as_str))
    }

    pub fn text(&self, name: &str) -> Result<&'a str, CorruptItem> {
        self.need(name, self.maybe_text(name)?)
    }

    /// A text that `parse` accepts.
    pub fn maybe_parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, CorruptItem> {
        let value = self.maybe_text(name)?;
        value.map(|value| parse(value).ok_or_else(|| self.corrupt(name, "is malformed"))).transpose()
    }

    pub fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, CorruptItem> {
        self.need(name, self.maybe_parsed(name, parse)?)
    }

    pub fn maybe_number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, CorruptItem> {
        let parse = |value: &AttributeValue| value.as_n().ok().and_then(|digits| digits.parse().ok());
        let value = self.get(name).map(|value| parse(value).ok_or_else(|| self.corrupt(name, "is not a valid number")));
        value.transpose()
    }

    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, CorruptItem> {
        self.need(name, self.maybe_number(name)?)
    }

    pub fn maybe_time(&self, name: &str) -> Result<Option<Timestamp>, CorruptItem> {
        Ok(self.maybe_number(name)?.map(Timestamp::from_millis))
    }

    pub fn time(&self, name: &str) -> Result<Timestamp, CorruptItem> {
        self.need(name, self.maybe_time(name)?)
    }

    pub fn hash(&self, name: &str) -> Result<[u8; 32], CorruptItem> {
        self.bytes(name)
    }

    /// Exactly `N` bytes.
    pub fn bytes<const N: usize>(&self, name: &str) -> Result<[u8; N], CorruptItem> {
        let value = self.need(name, self.get(name))?;
        let bytes = value.as_b().ok().and_then(|blob| blob.as_ref().try_into().ok());
        bytes.ok_or_else(|| self.corrupt(name, "has another length"))
    }
}

/// A text attribute, if it is there and a text.
pub fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub fn key_of(item: &Item) -> Option<Key> {
    Some(Key { pk: text_of(item, keys::PK)?.to_owned(), sk: text_of(item, keys::SK)?.to_owned() })
}

/// A key in the form of the SDK.
pub fn key_item(key: &Key) -> Item {
    HashMap::from([(keys::PK.to_owned(), text(&key.pk)), (keys::SK.to_owned(), text(&key.sk))])
}

pub fn mark_of(item: &Item) -> Option<Mark> {
    let part = |name| text_of(item, name).map(str::to_owned);
    Some(Mark { partition: part(keys::GSI3_PK)?, entry: part(keys::GSI3_SK)? })
}

/// When the table may delete an item of a delivery that is written now, in Unix seconds.
pub fn ttl(now: Timestamp) -> i64 {
    (now + Delivery::RETENTION).seconds()
}
