use std::collections::HashMap;

use super::error::StoreError;
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, SCHEMA, bytes, number, text, unless_newer};
use super::keys::{self, Key, Listed};
use super::op_context::OpContext;
use super::query::{Index, PageQuery, Range};
use super::secrets::{SECRETS, read_secrets, secrets_value};
use super::table::Store;
use super::tenant::read_tenant;
use super::write::Write;
use domain::{Cloud, Event, Market, Partner, PartnerId, PartnerStatus, Tenant, TenantId, Timestamp};

/// The result of enrolling a partner.
#[derive(Clone, Debug, PartialEq)]
pub enum Enrolled {
    New,
    AlreadyExists(Partner),
    /// The tenant is registered in another cloud or market.
    OtherTenant(Tenant),
}

impl Store {
    /// A partner, read at most 30 s ago.
    ///
    /// # Errors
    /// [`StoreError`], in all methods here.
    pub async fn partner(&self, op: OpContext, id: &PartnerId) -> Result<Option<Partner>, StoreError> {
        match self.cached_partner(id, op.occurred_at) {
            Some(partner) => Ok(Some(partner)),
            None => self.fresh_partner(op, id).await,
        }
    }

    /// A partner, if it was read at most 30 s ago.
    pub fn cached_partner(&self, id: &PartnerId, now: Timestamp) -> Option<Partner> {
        self.partners.get(id, now)
    }

    /// A partner, read now.
    pub async fn fresh_partner(&self, op: OpContext, id: &PartnerId) -> Result<Option<Partner>, StoreError> {
        let item = self.get(op, &keys::partner(id)).await?;
        let partner = item.as_ref().map(read_partner).transpose()?;
        Ok(partner.map(|partner| self.remember_partner(op, partner)))
    }

    /// Caches a partner that was read now.
    pub(super) fn remember_partner(&self, op: OpContext, partner: Partner) -> Partner {
        self.partners.put(partner.partner_id.clone(), partner.clone(), op.occurred_at);
        partner
    }

    /// The partners with these ids, in the same order, each read at most 30 s ago. One call reads all that are not cached.
    pub async fn partners_by_id(
        &self,
        op: OpContext,
        ids: impl Iterator<Item = &PartnerId>,
    ) -> Result<Vec<Option<Partner>>, StoreError> {
        let now = op.occurred_at;
        let ids: Vec<&PartnerId> = ids.collect();
        // The cache may forget them meanwhile.
        let cached = |id: &&PartnerId| Some(((*id).clone(), self.partners.get(id, now)?));
        let mut found: HashMap<PartnerId, Partner> = ids.iter().filter_map(cached).collect();
        let unknown: Vec<Key> = ids.iter().filter(|id| !found.contains_key(id)).map(|id| keys::partner(id)).collect();
        // Consistent, because the cache also identifies callers.
        for item in self.get_many(op, &unknown, true).await?.into_iter().flatten() {
            let Some(partner) = unless_newer(read_partner(&item))? else { continue };
            found.insert(partner.partner_id.clone(), self.remember_partner(op, partner));
        }
        Ok(ids.into_iter().map(|id| found.get(id).cloned()).collect())
    }

    /// Enrolls a tenant as a partner. From then on it is a CSP tenant. A tenant that is not registered is created.
    pub async fn enroll(&self, op: OpContext, partner: &Partner, event: &Event) -> Result<Enrolled, StoreError> {
        let (own, tenant) = (keys::partner(&partner.partner_id), keys::tenant(&partner.tenant_id));
        let (item, tenant_write) = (partner_item(partner), become_csp_tenant(partner));
        let recorded = self.record_with(&partner.chain, event, Write::create(item), Some(&tenant_write))?;
        let outcome = self.transact(op, &[recorded.record, tenant_write, recorded.event]).await?;
        if outcome.is_committed() {
            return Ok(Enrolled::New);
        }
        if let Some(existing) = outcome.conflicting(&own) {
            return Ok(Enrolled::AlreadyExists(read_partner(existing)?));
        }
        if let Some(existing) = self.fresh_partner(op, &partner.partner_id).await? {
            return Ok(Enrolled::AlreadyExists(existing));
        }
        match outcome.conflicting(&tenant) {
            Some(tenant) => Ok(Enrolled::OtherTenant(read_tenant(tenant)?)),
            None => Err(StoreError::Contention),
        }
    }

    /// Whether a partner has a relationship, active or ended. A relationship that began a moment ago may be missed.
    pub async fn has_relationships(&self, op: OpContext, id: &PartnerId) -> Result<bool, StoreError> {
        let query = PageQuery {
            index: Index::PARTNER,
            partition: keys::partner_view(id),
            range: Range::Prefix(Listed::Relationship.prefix()),
            limit: 1,
            start: None,
            ascending: false,
            consistent: false,
            filter: None,
        };
        Ok(!self.query(op, &query).await?.items.is_empty())
    }

    /// Changes a partner's name, domain, market, status or secrets to those of `after`. Returns `false` if it has changed since it was read.
    pub async fn change_partner(
        &self,
        op: OpContext,
        before: &Partner,
        after: &Partner,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let key = keys::partner(&before.partner_id);
        let write = Write::change(key.clone(), &before.chain)
            .set("#name = :name, market = :market, #status = :status, secrets = :secrets")
            .set("status_since = :status_since, status_seq = :status_seq")
            .name("#name", "name")
            .name("#status", "status")
            .text(":name", &after.name)
            .text(":market", after.market.as_str())
            .set_or_remove("#domain", ":domain", after.domain.as_ref().map(text))
            .name("#domain", "domain")
            .text(":status", after.status.as_str())
            .value(":status_since", number(after.status_since.millis()))
            .value(":status_seq", number(after.status_sequence))
            .value(":secrets", secrets_value(&after.secrets));
        let recorded = self.record(&before.chain, event, write)?;
        let is_changed = self.change(op, &key, &recorded).await?;
        if is_changed {
            let changed = Partner { chain: recorded.chain, ..after.clone() };
            self.partners.put(before.partner_id.clone(), changed, op.occurred_at);
        }
        Ok(is_changed)
    }
}

/// Makes a tenant a CSP tenant, and creates it if it is not registered. The cloud and market of a registered tenant must be
/// those of the partner.
fn become_csp_tenant(partner: &Partner) -> Write {
    let guard =
        "attribute_not_exists(pk) OR (attribute_not_exists(csp_partner) AND cloud = :cloud AND market = :market)";
    Write::update(keys::tenant(&partner.tenant_id), guard)
        .set("csp_partner = :partner, v = if_not_exists(v, :schema), #name = if_not_exists(#name, :name)")
        .set("created = if_not_exists(created, :now)")
        .set("cloud = if_not_exists(cloud, :cloud), market = if_not_exists(market, :market)")
        .set("event_seq = if_not_exists(event_seq, :zero), event_hash = if_not_exists(event_hash, :zeros)")
        .set("gsi1pk = if_not_exists(gsi1pk, :list), listed = if_not_exists(listed, :listed)")
        .name("#name", "name")
        .text(":partner", partner.partner_id.as_str())
        .value(":schema", number(SCHEMA))
        .text(":name", &partner.name)
        .text(":cloud", partner.cloud.as_str())
        .text(":market", partner.market.as_str())
        .value(":now", number(partner.created_at.millis()))
        .value(":zero", number(0))
        .value(":zeros", bytes(&[0; 32]))
        .text(":list", keys::operator_view(Listed::Tenant, partner.tenant_id.as_str()))
        .text(":listed", Listed::Tenant.at(partner.created_at))
}

fn partner_item(partner: &Partner) -> Item {
    ItemBuilder::new(keys::partner(&partner.partner_id))
        .text("tenant", partner.tenant_id.as_str())
        .text("name", &partner.name)
        .maybe_text("domain", partner.domain.as_ref())
        .text("cloud", partner.cloud.as_str())
        .text("market", partner.market.as_str())
        .text("status", partner.status.as_str())
        .time("status_since", partner.status_since)
        .number("status_seq", partner.status_sequence)
        .with(SECRETS, secrets_value(&partner.secrets))
        .time("created", partner.created_at)
        .text(keys::GSI1_PK, keys::operator_view(Listed::Partner, partner.partner_id.as_str()))
        .text(keys::LISTED, Listed::Partner.at(partner.created_at))
        .build()
}

pub(super) fn read_partner(item: &Item) -> Result<Partner, CorruptItem> {
    let reader = ItemReader::new(item)?;
    Ok(Partner {
        partner_id: reader.parsed(keys::PK, keys::parse_partner)?,
        tenant_id: reader.parsed("tenant", TenantId::parse)?,
        name: reader.text("name")?.to_owned(),
        domain: reader.maybe_text("domain")?.map(str::to_owned),
        cloud: reader.parsed("cloud", Cloud::parse)?,
        market: reader.parsed("market", Market::parse)?,
        status: reader.parsed("status", PartnerStatus::parse)?,
        status_since: reader.time("status_since")?,
        status_sequence: reader.number("status_seq")?,
        secrets: read_secrets(&reader)?,
        created_at: reader.time("created")?,
        chain: reader.chain()?,
    })
}
