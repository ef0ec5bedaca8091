//! Items: how they are built and read. What can't be read is a typed [`CorruptItem`], never a panic and never a guess.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};

use super::keys::{self, Key};
use domain::{Chain, Timestamp};

/// An item as the SDK has it.
pub type Item = HashMap<String, AttributeValue>;

/// The version of the items' shape that this code writes and reads.
pub const SCHEMA: u64 = 1;
const SCHEMA_ATTRIBUTE: &str = "v";

/// An item that this code can't read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("item {pk} / {sk}: attribute {attribute} {problem}")]
pub struct CorruptItem {
    /// Its partition key.
    pub pk: String,
    /// Its sort key.
    pub sk: String,
    /// The attribute.
    pub attribute: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Builds an item.
#[derive(Debug)]
pub struct ItemBuilder(Item);

impl ItemBuilder {
    /// An item with this key and the present schema.
    pub fn new(key: Key) -> Self {
        Self(HashMap::new()).text(keys::PK, key.pk).text(keys::SK, key.sk).number(SCHEMA_ATTRIBUTE, SCHEMA)
    }

    /// Adds any attribute.
    pub fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// Adds a text.
    pub fn text(self, name: &str, value: impl Into<String>) -> Self {
        self.with(name, text(value))
    }

    /// Adds a text, if there is one.
    pub fn maybe_text(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds a number.
    pub fn number(self, name: &str, value: impl ToString) -> Self {
        self.with(name, number(value))
    }

    /// Adds a time.
    pub fn time(self, name: &str, value: Timestamp) -> Self {
        self.number(name, value.millis())
    }

    /// Adds a hash.
    pub fn hash(self, name: &str, value: &[u8; 32]) -> Self {
        self.with(name, bytes(value))
    }

    /// Adds where its events stand.
    pub fn chain(self, chain: Chain) -> Self {
        self.number("event_seq", chain.sequence).hash("event_hash", &chain.hash)
    }

    /// The item.
    pub fn build(self) -> Item {
        self.0
    }
}

/// A text value.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number value.
pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A binary value.
pub fn bytes(value: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// Reads an item of the present schema.
#[derive(Clone, Copy, Debug)]
pub struct ItemReader<'a>(&'a Item);

impl<'a> ItemReader<'a> {
    /// Checks the schema.
    ///
    /// # Errors
    /// [`CorruptItem`] when the item is of another schema version.
    pub fn new(item: &'a Item) -> Result<Self, CorruptItem> {
        let reader = Self(item);
        match reader.number::<u64>(SCHEMA_ATTRIBUTE)? {
            SCHEMA => Ok(reader),
            _ => Err(reader.corrupt(SCHEMA_ATTRIBUTE, "is a version that this code does not know")),
        }
    }

    /// The error for one attribute of this item.
    pub fn corrupt(&self, attribute: &str, problem: &'static str) -> CorruptItem {
        let part =
            |name| self.0.get(name).and_then(|value: &AttributeValue| value.as_s().ok()).cloned().unwrap_or_default();
        CorruptItem { pk: part(keys::PK), sk: part(keys::SK), attribute: attribute.to_owned(), problem }
    }

    /// An attribute, if it is there.
    pub fn get(&self, name: &str) -> Option<&'a AttributeValue> {
        self.0.get(name)
    }

    fn need<T>(&self, name: &str, value: Option<T>) -> Result<T, CorruptItem> {
        value.ok_or_else(|| self.corrupt(name, "is missing"))
    }

    /// A text, if it is there.
    ///
    /// # Errors
    /// [`CorruptItem`] when it is no text; likewise for the functions below.
    pub fn maybe_text(&self, name: &str) -> Result<Option<&'a str>, CorruptItem> {
        let value = self.get(name).map(|value| value.as_s().map_err(|_| self.corrupt(name, "is not text")));
        Ok(value.transpose()?.map(String::as_str))
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<&'a str, CorruptItem> {
        self.need(name, self.maybe_text(name)?)
    }

    /// A text that `parse` takes, if it is there.
    pub fn maybe_parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, CorruptItem> {
        let value = self.maybe_text(name)?;
        value.map(|value| parse(value).ok_or_else(|| self.corrupt(name, "is malformed"))).transpose()
    }

    /// A text that `parse` takes.
    pub fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, CorruptItem> {
        self.need(name, self.maybe_parsed(name, parse)?)
    }

    /// A number, if it is there.
    pub fn maybe_number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, CorruptItem> {
        let parse = |value: &AttributeValue| value.as_n().ok().and_then(|digits| digits.parse().ok());
        let value =
            self.get(name).map(|value| parse(value).ok_or_else(|| self.corrupt(name, "is not a fitting number")));
        value.transpose()
    }

    /// A number.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, CorruptItem> {
        self.need(name, self.maybe_number(name)?)
    }

    /// A time, if it is there.
    pub fn maybe_time(&self, name: &str) -> Result<Option<Timestamp>, CorruptItem> {
        Ok(self.maybe_number(name)?.map(Timestamp::from_millis))
    }

    /// A time.
    pub fn time(&self, name: &str) -> Result<Timestamp, CorruptItem> {
        self.need(name, self.maybe_time(name)?)
    }

    /// A hash.
    pub fn hash(&self, name: &str) -> Result<[u8; 32], CorruptItem> {
        self.bytes(name)
    }

    /// Exactly `N` bytes.
    pub fn bytes<const N: usize>(&self, name: &str) -> Result<[u8; N], CorruptItem> {
        let value = self.need(name, self.get(name))?;
        let bytes = value.as_b().ok().and_then(|blob| blob.as_ref().try_into().ok());
        bytes.ok_or_else(|| self.corrupt(name, "has another length"))
    }

    /// Where the events stand.
    pub fn chain(&self) -> Result<Chain, CorruptItem> {
        Ok(Chain { sequence: self.number("event_seq")?, hash: self.hash("event_hash")? })
    }
}
