//! Access keys.

use aws_sdk_dynamodb::types::AttributeValue;

use super::change::{UNCHANGED, set};
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, number, text};
use super::keys::{self, Listed};
use super::write::Write;
use super::{OpContext, Registered, Store, StoreError};
use domain::{AccessKey, CallerKind, Event, KeyId, PartnerId, Principal, Role, TenantId};

impl Store {
    /// An access key, at most 30 s old.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub async fn access_key(&self, attempt: OpContext, id: &KeyId) -> Result<Option<AccessKey>, StoreError> {
        match self.keys.get(id, attempt.occurred_at) {
            Some(key) => Ok(Some(key)),
            None => self.fresh_access_key(attempt, id).await,
        }
    }

    /// An access key, as it is now.
    pub async fn fresh_access_key(&self, attempt: OpContext, id: &KeyId) -> Result<Option<AccessKey>, StoreError> {
        let item = self.get(attempt, &keys::access_key(id)).await?;
        let key = item.as_ref().map(read_access_key).transpose()?;
        if let Some(key) = &key {
            self.keys.put(id.clone(), key.clone(), attempt.occurred_at);
        }
        Ok(key)
    }

    /// Stores a new access key.
    pub async fn issue_key(
        &self,
        attempt: OpContext,
        key: &AccessKey,
        event: &Event,
    ) -> Result<Registered<AccessKey>, StoreError> {
        let key = AccessKey { chain: event.chain_after(&[0; 32]), ..key.clone() };
        let item = access_key_item(&key);
        self.register(attempt, item, event, &key.chain, read_access_key).await
    }

    /// Revokes a key. `false` when it changed meanwhile.
    pub async fn revoke_key(&self, attempt: OpContext, key: &AccessKey, event: &Event) -> Result<bool, StoreError> {
        let write = Write::update(keys::access_key(&key.key_id), &set("revoked_at = :at"), UNCHANGED);
        let changed =
            self.change(attempt, write.value(":at", number(attempt.occurred_at.millis())), &key.chain, event).await?;
        if changed {
            let revoked = AccessKey { revoked_at: Some(attempt.occurred_at), ..key.clone() };
            self.keys.put(key.key_id.clone(), revoked, attempt.occurred_at);
        }
        Ok(changed)
    }
}

fn access_key_item(key: &AccessKey) -> Item {
    let roles = key.roles.iter().map(|role| text(role.as_str())).collect();
    ItemBuilder::new(keys::access_key(&key.key_id))
        .hash("key_hash", &key.hash)
        .text("principal", key.principal.kind().as_str())
        .maybe_text("principal_id", key.principal.id())
        .with("key_roles", AttributeValue::L(roles))
        .text("name", &key.name)
        .time("created", key.created_at)
        .chain(key.chain)
        .text(keys::GSI1_PK, keys::operator_view(Listed::Key))
        .text(keys::LISTED, Listed::Key.at(key.created_at))
        .build()
}

/// Reads a key's item.
pub(super) fn read_access_key(item: &Item) -> Result<AccessKey, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let principal = match reader.parsed("principal", CallerKind::parse)? {
        CallerKind::Operator => Principal::Operator,
        CallerKind::Partner => Principal::Partner(reader.parsed("principal_id", PartnerId::parse)?),
        CallerKind::Customer => Principal::Customer(reader.parsed("principal_id", TenantId::parse)?),
    };
    let roles = reader.get("key_roles").and_then(|value| value.as_l().ok());
    let role = |value: &AttributeValue| value.as_s().ok().and_then(|word| Role::parse(word));
    let roles = roles.and_then(|list| list.iter().map(role).collect::<Option<Vec<_>>>());
    Ok(AccessKey {
        key_id: reader.parsed(keys::PK, |pk| KeyId::parse(pk.strip_prefix("KEY#")?))?,
        hash: reader.hash("key_hash")?,
        principal,
        roles: roles.ok_or_else(|| reader.corrupt("key_roles", "is malformed"))?,
        name: reader.text("name")?.to_owned(),
        created_at: reader.time("created")?,
        revoked_at: reader.maybe_time("revoked_at")?,
        chain: reader.chain()?,
    })
}
