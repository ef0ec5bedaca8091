//! Generations of signing secrets, as an attribute. The secrets themselves are not stored.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{CorruptItem, ItemReader, bytes, number};
use domain::{RotationRequest, SecretVersion, Timestamp};

pub(super) const SECRETS: &str = "secrets";

/// `[[generation, key number, end or 0], …]`, newest first. A rotation with an idempotency key adds the key's hash and the
/// hours of grace.
pub(super) fn secrets_value(secrets: &[SecretVersion]) -> AttributeValue {
    let one = |secret: &SecretVersion| {
        let ends_at = secret.ends_at.map_or(0, Timestamp::millis);
        let mut parts = vec![number(secret.version), number(secret.key_number), number(ends_at)];
        if let Some(request) = &secret.request {
            parts.extend([bytes(&request.key), number(request.grace_hours)]);
        }
        AttributeValue::L(parts)
    };
    AttributeValue::L(secrets.iter().map(one).collect())
}

pub(super) fn read_secrets(reader: &ItemReader<'_>) -> Result<Vec<SecretVersion>, CorruptItem> {
    reader.list(SECRETS, read_secret)
}

fn read_secret(value: &AttributeValue) -> Option<SecretVersion> {
    let parts = value.as_l().ok()?;
    let at = |index: usize| parts.get(index)?.as_n().ok()?.parse::<i64>().ok();
    let request = match parts.get(3) {
        None => None,
        Some(key) => {
            let key = key.as_b().ok()?.as_ref().try_into().ok()?;
            Some(RotationRequest { key, grace_hours: at(4)?.try_into().ok()? })
        }
    };
    Some(SecretVersion {
        version: at(0)?.try_into().ok()?,
        key_number: at(1)?.try_into().ok()?,
        ends_at: Some(at(2)?).filter(|ms| *ms > 0).map(Timestamp::from_millis),
        request,
    })
}
