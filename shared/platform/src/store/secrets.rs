//! Generations of signing secrets, as an attribute. The secrets themselves are not stored.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{CorruptItem, ItemReader, number};
use domain::{SecretVersion, Timestamp};

pub(super) const SECRETS: &str = "secrets";

/// `[[generation, key number, end or 0], …]`, newest first.
pub(super) fn secrets_value(secrets: &[SecretVersion]) -> AttributeValue {
    let one = |secret: &SecretVersion| {
        let ends_at = secret.ends_at.map_or(0, Timestamp::millis);
        AttributeValue::L(vec![number(secret.version), number(secret.key_number), number(ends_at)])
    };
    AttributeValue::L(secrets.iter().map(one).collect())
}

pub(super) fn read_secrets(reader: &ItemReader<'_>) -> Result<Vec<SecretVersion>, CorruptItem> {
    reader.list(SECRETS, read_secret)
}

fn read_secret(value: &AttributeValue) -> Option<SecretVersion> {
    let parts = value.as_l().ok()?;
    let at = |index: usize| parts.get(index)?.as_n().ok()?.parse::<i64>().ok();
    Some(SecretVersion {
        version: at(0)?.try_into().ok()?,
        key_number: at(1)?.try_into().ok()?,
        ends_at: Some(at(2)?).filter(|ms| *ms > 0).map(Timestamp::from_millis),
    })
}
