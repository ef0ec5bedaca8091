use super::change::Registered;
use super::error::StoreError;
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, number, text};
use super::keys::{self, Listed};
use super::op_context::OpContext;
use super::partner::read_partner;
use super::table::Store;
use super::write::Write;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AccessKey, CallerKind, Event, KeyId, PartnerId, Principal, Role, TenantId};

impl Store {
    /// An access key, read at most 30 s ago.
    ///
    /// # Errors
    /// [`StoreError`], in all methods here.
    pub async fn access_key(&self, op: OpContext, id: &KeyId) -> Result<Option<AccessKey>, StoreError> {
        match self.keys.get(id, op.occurred_at) {
            Some(key) => Ok(Some(key)),
            None => self.fresh_access_key(op, id).await,
        }
    }

    /// An access key, read at most 30 s ago, for a request that also needs a partner. One call reads both, or what is not cached.
    pub async fn access_key_and(
        &self,
        op: OpContext,
        id: &KeyId,
        partner: &PartnerId,
    ) -> Result<Option<AccessKey>, StoreError> {
        if let Some(key) = self.keys.get(id, op.occurred_at) {
            return Ok(Some(key));
        }
        let is_cached = self.cached_partner(partner, op.occurred_at).is_some();
        let mut wanted = vec![keys::access_key(id)];
        wanted.extend((!is_cached).then(|| keys::partner(partner)));
        let needed = wanted.get(..1).unwrap_or_default();
        let mut items = self.get_needed(op, &wanted, needed, true).await?.into_iter();
        let key = items.next().flatten();
        // The caller reads a partner again that is unreadable or that the table did not process, once it knows the key.
        if let Some(Ok(partner)) = items.next().flatten().as_ref().map(read_partner) {
            self.remember_partner(op, partner);
        }
        self.remember_key(op, key.as_ref())
    }

    /// An access key, read now.
    pub async fn fresh_access_key(&self, op: OpContext, id: &KeyId) -> Result<Option<AccessKey>, StoreError> {
        let item = self.get(op, &keys::access_key(id)).await?;
        self.remember_key(op, item.as_ref())
    }

    fn remember_key(&self, op: OpContext, item: Option<&Item>) -> Result<Option<AccessKey>, StoreError> {
        let key = item.map(read_access_key).transpose()?;
        if let Some(key) = &key {
            self.keys.put(key.key_id.clone(), key.clone(), op.occurred_at);
        }
        Ok(key)
    }

    pub async fn issue_key(
        &self,
        op: OpContext,
        key: &AccessKey,
        event: &Event,
    ) -> Result<Registered<AccessKey>, StoreError> {
        self.register(op, &keys::access_key(&key.key_id), access_key_item(key), event, read_access_key).await
    }

    /// Revokes a key. Returns `false` if it has changed since it was read.
    pub async fn revoke_key(&self, op: OpContext, key: &AccessKey, event: &Event) -> Result<bool, StoreError> {
        let own = keys::access_key(&key.key_id);
        let write = Write::change(own.clone(), &key.chain).set("revoked_at = :at");
        let write = write.value(":at", number(op.occurred_at.millis()));
        let is_revoked = self.change(op, &own, &self.record(&key.chain, event, write)?).await?;
        if is_revoked {
            let revoked = AccessKey { revoked_at: Some(op.occurred_at), ..key.clone() };
            self.keys.put(key.key_id.clone(), revoked, op.occurred_at);
        }
        Ok(is_revoked)
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
        .maybe_time("expires_at", key.expires_at)
        .text(keys::GSI1_PK, keys::operator_view(Listed::Key, key.key_id.as_str()))
        .text(keys::GSI2_PK, keys::principal_view(&key.principal))
        .text(keys::LISTED, Listed::Key.at(key.created_at))
        .build()
}

pub(super) fn read_access_key(item: &Item) -> Result<AccessKey, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let principal = match reader.parsed("principal", CallerKind::parse)? {
        CallerKind::Operator => Principal::Operator,
        CallerKind::Partner => Principal::Partner(reader.parsed("principal_id", PartnerId::parse)?),
        CallerKind::Customer => Principal::Customer(reader.parsed("principal_id", TenantId::parse)?),
    };
    Ok(AccessKey {
        key_id: reader.parsed(keys::PK, keys::parse_access_key)?,
        hash: reader.hash("key_hash")?,
        principal,
        roles: reader.list("key_roles", |role| Role::parse(role.as_s().ok()?))?,
        name: reader.text("name")?.to_owned(),
        created_at: reader.time("created")?,
        expires_at: reader.maybe_time("expires_at")?,
        revoked_at: reader.maybe_time("revoked_at")?,
        chain: reader.chain()?,
    })
}
