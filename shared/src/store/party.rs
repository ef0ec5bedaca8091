//! Tenants, partners and access keys.

use aws_sdk_dynamodb::types::AttributeValue;

use futures_util::future::try_join_all;

use super::event;
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, bytes, number, text};
use super::keys::{self, Listed};
use super::transact::Outcome;
use super::write::Write;
use super::{Attempt, Store, StoreError};
use crate::domain::{
    AccessKey, CallerKind, Chain, Cloud, Event, KeyId, Market, Partner, PartnerId, PartnerStatus, Principal, Role,
    SecretGeneration, Tenant, TenantId, Timestamp,
};

/// What became of something that should be registered once.
#[derive(Clone, Debug, PartialEq)]
pub enum Registered<T> {
    /// It is new.
    New,
    /// It was there before, as it is now.
    Before(T),
}

/// What became of an enrolment.
#[derive(Clone, Debug, PartialEq)]
pub enum Enrolled {
    /// The partner is new.
    New,
    /// It was enrolled before.
    Before(Partner),
    /// The tenant is known, in another cloud or market.
    OtherTenant(Tenant),
}

#[derive(Clone, Copy)]
enum Enrolling {
    Partner,
    Tenant,
    Event,
}

impl Store {
    /// A tenant, as it is now.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub async fn tenant(&self, attempt: Attempt, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let item = self.get(attempt, &keys::tenant(id)).await?;
        Ok(item.as_ref().map(read_tenant).transpose()?)
    }

    /// A partner, at most 30 s old.
    pub async fn partner(&self, attempt: Attempt, id: &PartnerId) -> Result<Option<Partner>, StoreError> {
        match self.partners.get(id, attempt.occurred_at) {
            Some(partner) => Ok(Some(partner)),
            None => self.fresh_partner(attempt, id).await,
        }
    }

    /// A partner, as it is now.
    pub async fn fresh_partner(&self, attempt: Attempt, id: &PartnerId) -> Result<Option<Partner>, StoreError> {
        let item = self.get(attempt, &keys::partner(id)).await?;
        let partner = item.as_ref().map(read_partner).transpose()?;
        if let Some(partner) = &partner {
            self.partners.put(id.clone(), partner.clone(), attempt.occurred_at);
        }
        Ok(partner)
    }

    /// The partners of these ids, in their order, each at most 30 s old.
    pub async fn partners_of(
        &self,
        attempt: Attempt,
        ids: impl Iterator<Item = &PartnerId>,
    ) -> Result<Vec<Option<Partner>>, StoreError> {
        try_join_all(ids.map(|id| self.partner(attempt, id))).await
    }

    /// The names of these tenants, in their order, each at most 30 s old.
    pub async fn tenant_names(
        &self,
        attempt: Attempt,
        ids: impl Iterator<Item = &TenantId>,
    ) -> Result<Vec<Option<String>>, StoreError> {
        try_join_all(ids.map(|id| self.tenant_name(attempt, id))).await
    }

    async fn tenant_name(&self, attempt: Attempt, id: &TenantId) -> Result<Option<String>, StoreError> {
        if let Some(name) = self.tenant_names.get(id, attempt.occurred_at) {
            return Ok(Some(name));
        }
        let name = self.tenant(attempt, id).await?.map(|tenant| tenant.name);
        if let Some(name) = &name {
            self.tenant_names.put(id.clone(), name.clone(), attempt.occurred_at);
        }
        Ok(name)
    }

    /// An access key, at most 30 s old.
    pub async fn access_key(&self, attempt: Attempt, id: &KeyId) -> Result<Option<AccessKey>, StoreError> {
        match self.keys.get(id, attempt.occurred_at) {
            Some(key) => Ok(Some(key)),
            None => self.fresh_access_key(attempt, id).await,
        }
    }

    /// An access key, as it is now.
    pub async fn fresh_access_key(&self, attempt: Attempt, id: &KeyId) -> Result<Option<AccessKey>, StoreError> {
        let item = self.get(attempt, &keys::access_key(id)).await?;
        let key = item.as_ref().map(read_access_key).transpose()?;
        if let Some(key) = &key {
            self.keys.put(id.clone(), key.clone(), attempt.occurred_at);
        }
        Ok(key)
    }

    /// Registers a customer's tenant.
    pub async fn register_customer(
        &self,
        attempt: Attempt,
        tenant: &Tenant,
        event: &Event,
    ) -> Result<Registered<Tenant>, StoreError> {
        let tenant = Tenant { chain: event.chain_after(&[0; 32]), ..tenant.clone() };
        let item = tenant_item(&tenant);
        self.register(attempt, item, event, &tenant.chain, read_tenant).await
    }

    /// Stores a new access key.
    pub async fn issue_key(
        &self,
        attempt: Attempt,
        key: &AccessKey,
        event: &Event,
    ) -> Result<Registered<AccessKey>, StoreError> {
        let key = AccessKey { chain: event.chain_after(&[0; 32]), ..key.clone() };
        let item = access_key_item(&key);
        self.register(attempt, item, event, &key.chain, read_access_key).await
    }

    async fn register<T>(
        &self,
        attempt: Attempt,
        item: Item,
        event: &Event,
        chain: &Chain,
        read: impl Fn(&Item) -> Result<T, CorruptItem>,
    ) -> Result<Registered<T>, StoreError> {
        let writes = [((), Write::create(item)), ((), event::write(event, chain))];
        match self.transact(attempt, &writes).await? {
            Outcome::Committed => Ok(Registered::New),
            Outcome::Refused(refused) => match refused.first().and_then(|refusal| refusal.item.as_ref()) {
                Some(before) if refused[0].position == 0 => Ok(Registered::Before(read(before)?)),
                _ => Err(StoreError::Contention),
            },
        }
    }

    /// Enrols a tenant as a partner: a CSP tenant from then on. An unknown tenant is created.
    pub async fn enrol(&self, attempt: Attempt, partner: &Partner, event: &Event) -> Result<Enrolled, StoreError> {
        let partner = Partner { chain: event.chain_after(&[0; 32]), ..partner.clone() };
        let writes = [
            (Enrolling::Partner, Write::create(partner_item(&partner))),
            (Enrolling::Tenant, become_csp_tenant(&partner)),
            (Enrolling::Event, event::write(event, &partner.chain)),
        ];
        let Outcome::Refused(refused) = self.transact(attempt, &writes).await? else { return Ok(Enrolled::New) };
        let stands = |wanted: fn(&Enrolling) -> bool| {
            refused.iter().find(|refusal| wanted(&refusal.write)).and_then(|refusal| refusal.item.as_ref())
        };
        if let Some(before) = stands(|write| matches!(write, Enrolling::Partner)) {
            return Ok(Enrolled::Before(read_partner(before)?));
        }
        if let Some(before) = self.fresh_partner(attempt, &partner.partner_id).await? {
            return Ok(Enrolled::Before(before));
        }
        match stands(|write| matches!(write, Enrolling::Tenant)) {
            Some(tenant) => Ok(Enrolled::OtherTenant(read_tenant(tenant)?)),
            None => Err(StoreError::Contention),
        }
    }

    /// Gives a customer another name. `false` when it changed meanwhile.
    pub async fn rename_tenant(
        &self,
        attempt: Attempt,
        tenant: &Tenant,
        name: &str,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let write = Write::update(keys::tenant(&tenant.tenant_id), &set("#name = :name"), UNCHANGED);
        self.change(attempt, write.name("#name", "name").text(":name", name), &tenant.chain, event).await
    }

    /// Changes a partner's name, status or secrets to those of `after`. `false` when it changed meanwhile.
    pub async fn change_partner(
        &self,
        attempt: Attempt,
        before: &Partner,
        after: &Partner,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let expression = set("#name = :name, #status = :status, secrets = :secrets");
        let write = Write::update(keys::partner(&before.partner_id), &expression, UNCHANGED)
            .name("#name", "name")
            .name("#status", "status")
            .text(":name", &after.name)
            .text(":status", after.status.as_str())
            .value(":secrets", secrets_value(&after.secrets));
        let changed = self.change(attempt, write, &before.chain, event).await?;
        if changed {
            let chain = event.chain_after(&before.chain.hash);
            self.partners.put(before.partner_id.clone(), Partner { chain, ..after.clone() }, attempt.occurred_at);
        }
        Ok(changed)
    }

    /// Revokes a key. `false` when it changed meanwhile.
    pub async fn revoke_key(&self, attempt: Attempt, key: &AccessKey, event: &Event) -> Result<bool, StoreError> {
        let write = Write::update(keys::access_key(&key.key_id), &set("revoked_at = :at"), UNCHANGED);
        let changed =
            self.change(attempt, write.value(":at", number(attempt.occurred_at.millis())), &key.chain, event).await?;
        if changed {
            let revoked = AccessKey { revoked_at: Some(attempt.occurred_at), ..key.clone() };
            self.keys.put(key.key_id.clone(), revoked, attempt.occurred_at);
        }
        Ok(changed)
    }

    /// One guarded update and its event: the guard is that the aggregate's chain stands where it was read.
    async fn change(&self, attempt: Attempt, write: Write, before: &Chain, event: &Event) -> Result<bool, StoreError> {
        let chain = event.chain_after(&before.hash);
        let write = write
            .value(":before", number(before.sequence))
            .value(":sequence", number(chain.sequence))
            .value(":hash", bytes(&chain.hash));
        let writes = [((), write), ((), event::write(event, &chain))];
        Ok(matches!(self.transact(attempt, &writes).await?, Outcome::Committed))
    }
}

const UNCHANGED: &str = "event_seq = :before";

fn set(assignments: &str) -> String {
    format!("SET {assignments}, event_seq = :sequence, event_hash = :hash")
}

/// Makes a tenant a CSP tenant, creating it if it is unknown; one that is known must agree in cloud and market.
fn become_csp_tenant(partner: &Partner) -> Write {
    let expression = "SET csp_partner = :partner, v = if_not_exists(v, :schema), #name = if_not_exists(#name, :name), \
                      cloud = if_not_exists(cloud, :cloud), market = if_not_exists(market, :market), \
                      created = if_not_exists(created, :now), event_seq = if_not_exists(event_seq, :zero), \
                      event_hash = if_not_exists(event_hash, :zeros), gsi1pk = if_not_exists(gsi1pk, :list), \
                      listed = if_not_exists(listed, :listed)";
    let guard =
        "attribute_not_exists(pk) OR (attribute_not_exists(csp_partner) AND cloud = :cloud AND market = :market)";
    Write::update(keys::tenant(&partner.tenant_id), expression, guard)
        .name("#name", "name")
        .text(":partner", partner.partner_id.as_str())
        .value(":schema", number(super::SCHEMA))
        .text(":name", &partner.name)
        .text(":cloud", partner.cloud.as_str())
        .text(":market", partner.market.as_str())
        .value(":now", number(partner.created_at.millis()))
        .value(":zero", number(0))
        .value(":zeros", bytes(&[0; 32]))
        .text(":list", keys::operator_view(Listed::Tenant))
        .text(":listed", Listed::Tenant.at(partner.created_at))
}

fn tenant_item(tenant: &Tenant) -> Item {
    ItemBuilder::new(keys::tenant(&tenant.tenant_id))
        .text("name", &tenant.name)
        .maybe_text("domain", tenant.domain.as_ref())
        .text("cloud", tenant.cloud.as_str())
        .text("market", tenant.market.as_str())
        .maybe_text("csp_partner", tenant.partner_id.as_ref().map(PartnerId::as_str))
        .time("created", tenant.created_at)
        .chain(tenant.chain)
        .text(keys::GSI1_PK, keys::operator_view(Listed::Tenant))
        .text(keys::LISTED, Listed::Tenant.at(tenant.created_at))
        .build()
}

/// Reads a tenant's item.
pub(super) fn read_tenant(item: &Item) -> Result<Tenant, CorruptItem> {
    let reader = ItemReader::new(item)?;
    Ok(Tenant {
        tenant_id: reader.parsed(keys::PK, |pk| TenantId::parse(pk.strip_prefix("TENANT#")?))?,
        name: reader.text("name")?.to_owned(),
        domain: reader.maybe_text("domain")?.map(str::to_owned),
        cloud: reader.parsed("cloud", Cloud::parse)?,
        market: reader.parsed("market", Market::parse)?,
        partner_id: reader.maybe_parsed("csp_partner", PartnerId::parse)?,
        created_at: reader.time("created")?,
        chain: reader.chain()?,
    })
}

fn partner_item(partner: &Partner) -> Item {
    ItemBuilder::new(keys::partner(&partner.partner_id))
        .text("tenant", partner.tenant_id.as_str())
        .text("name", &partner.name)
        .text("cloud", partner.cloud.as_str())
        .text("market", partner.market.as_str())
        .text("status", partner.status.as_str())
        .with("secrets", secrets_value(&partner.secrets))
        .time("created", partner.created_at)
        .chain(partner.chain)
        .text(keys::GSI1_PK, keys::operator_view(Listed::Partner))
        .text(keys::LISTED, Listed::Partner.at(partner.created_at))
        .build()
}

/// Reads a partner's item.
pub(super) fn read_partner(item: &Item) -> Result<Partner, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let secrets = reader.get("secrets").and_then(|value| value.as_l().ok());
    let secrets = secrets.and_then(|list| list.iter().map(read_secret).collect::<Option<Vec<_>>>());
    Ok(Partner {
        partner_id: reader.parsed(keys::PK, |pk| PartnerId::parse(pk.strip_prefix("PARTNER#")?))?,
        tenant_id: reader.parsed("tenant", TenantId::parse)?,
        name: reader.text("name")?.to_owned(),
        cloud: reader.parsed("cloud", Cloud::parse)?,
        market: reader.parsed("market", Market::parse)?,
        status: reader.parsed("status", PartnerStatus::parse)?,
        secrets: secrets.ok_or_else(|| reader.corrupt("secrets", "is malformed"))?,
        created_at: reader.time("created")?,
        chain: reader.chain()?,
    })
}

/// `[[generation, key number, end or 0], …]`, newest first.
fn secrets_value(secrets: &[SecretGeneration]) -> AttributeValue {
    let one = |secret: &SecretGeneration| {
        let ends_at = secret.ends_at.map_or(0, Timestamp::millis);
        AttributeValue::L(vec![number(secret.generation), number(secret.key_number), number(ends_at)])
    };
    AttributeValue::L(secrets.iter().map(one).collect())
}

fn read_secret(value: &AttributeValue) -> Option<SecretGeneration> {
    let parts = value.as_l().ok()?;
    let at = |index: usize| parts.get(index)?.as_n().ok()?.parse::<i64>().ok();
    Some(SecretGeneration {
        generation: at(0)?.try_into().ok()?,
        key_number: at(1)?.try_into().ok()?,
        ends_at: Some(at(2)?).filter(|ms| *ms > 0).map(Timestamp::from_millis),
    })
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
