//! Tenants: customers, and CSP tenants once they are enrolled as partners.

use std::collections::HashMap;

use super::change::Registered;
use super::error::StoreError;
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, number, text, unless_newer};
use super::keys::{self, Key, Listed};
use super::op_context::OpContext;
use super::query::{Index, PageQuery, Range};
use super::table::Store;
use super::write::Write;
use domain::{Cloud, Event, Market, PartnerId, Tenant, TenantId};

impl Store {
    /// A tenant, read now.
    ///
    /// # Errors
    /// [`StoreError`], in all methods here.
    pub async fn tenant(&self, op: OpContext, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let item = self.get(op, &keys::tenant(id)).await?;
        Ok(item.as_ref().map(read_tenant).transpose()?)
    }

    /// The names of these tenants, in the same order, each read at most 30 s ago. One call reads all that are not cached.
    pub async fn tenant_names(
        &self,
        op: OpContext,
        ids: impl Iterator<Item = &TenantId>,
    ) -> Result<Vec<Option<String>>, StoreError> {
        let now = op.occurred_at;
        let ids: Vec<&TenantId> = ids.collect();
        // The cache may forget them meanwhile.
        let cached = |id: &&TenantId| Some(((*id).clone(), self.tenant_names.get(id, now)?));
        let mut found: HashMap<TenantId, String> = ids.iter().filter_map(cached).collect();
        let unknown: Vec<Key> = ids.iter().filter(|id| !found.contains_key(id)).map(|id| keys::tenant(id)).collect();
        for item in self.get_many(op, &unknown, false).await?.into_iter().flatten() {
            let Some(tenant) = unless_newer(read_tenant(&item))? else { continue };
            self.tenant_names.put(tenant.tenant_id.clone(), tenant.name.clone(), now);
            found.insert(tenant.tenant_id, tenant.name);
        }
        Ok(ids.into_iter().map(|id| found.get(id).cloned()).collect())
    }

    /// A tenant's name, read at most 30 s ago.
    pub async fn tenant_name(&self, op: OpContext, id: &TenantId) -> Result<Option<String>, StoreError> {
        if let Some(name) = self.tenant_names.get(id, op.occurred_at) {
            return Ok(Some(name));
        }
        let name = self.tenant(op, id).await?.map(|tenant| tenant.name);
        if let Some(name) = &name {
            self.tenant_names.put(id.clone(), name.clone(), op.occurred_at);
        }
        Ok(name)
    }

    pub async fn register_customer(
        &self,
        op: OpContext,
        tenant: &Tenant,
        event: &Event,
    ) -> Result<Registered<Tenant>, StoreError> {
        self.register(op, &keys::tenant(&tenant.tenant_id), tenant_item(tenant), event, read_tenant).await
    }

    /// Corrects a tenant's name, domain, cloud and market to those of `after`. Returns `false` if it has changed since it was
    /// read. If the cloud or market is corrected, enrollment counts as a change, since the partner has the same ones.
    pub async fn correct_tenant(
        &self,
        op: OpContext,
        before: &Tenant,
        after: &Tenant,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let key = keys::tenant(&before.tenant_id);
        let write = Write::change(key.clone(), &before.chain)
            .set("#name = :name, cloud = :cloud, market = :market")
            .name("#name", "name")
            .text(":name", &after.name)
            .text(":cloud", after.cloud.as_str())
            .text(":market", after.market.as_str())
            .set_or_remove("#domain", ":domain", after.domain.as_ref().map(text))
            .name("#domain", "domain");
        let write = match after.sessions_generation {
            same if same == before.sessions_generation => write,
            next => write.set("sessions_generation = :generation").value(":generation", number(next)),
        };
        let is_bound = (before.cloud, before.market) != (after.cloud, after.market);
        let write = if is_bound { write.and("attribute_not_exists(csp_partner)") } else { write };
        let is_changed = self.change(op, &key, &self.record(&before.chain, event, write)?).await?;
        if is_changed {
            self.tenant_names.put(before.tenant_id.clone(), after.name.clone(), op.occurred_at);
        }
        Ok(is_changed)
    }

    /// Whether a customer was ever invited.
    pub async fn was_invited(&self, op: OpContext, id: &TenantId) -> Result<bool, StoreError> {
        let query = PageQuery {
            index: Index::TABLE,
            partition: keys::customer_view(id),
            range: Range::Prefix(String::new()),
            limit: 1,
            start: None,
            ascending: true,
            consistent: true,
            filter: None,
        };
        Ok(!self.query(op, &query).await?.items.is_empty())
    }
}

fn tenant_item(tenant: &Tenant) -> Item {
    ItemBuilder::new(keys::tenant(&tenant.tenant_id))
        .text("name", &tenant.name)
        .maybe_text("domain", tenant.domain.as_ref())
        .text("cloud", tenant.cloud.as_str())
        .text("market", tenant.market.as_str())
        .maybe_text("csp_partner", tenant.partner_id.as_ref().map(PartnerId::as_str))
        .time("created", tenant.created_at)
        .text(keys::GSI1_PK, keys::operator_view(Listed::Tenant, tenant.tenant_id.as_str()))
        .text(keys::LISTED, Listed::Tenant.at(tenant.created_at))
        .build()
}

pub(super) fn read_tenant(item: &Item) -> Result<Tenant, CorruptItem> {
    let reader = ItemReader::new(item)?;
    Ok(Tenant {
        tenant_id: reader.parsed(keys::PK, keys::parse_tenant)?,
        name: reader.text("name")?.to_owned(),
        domain: reader.maybe_text("domain")?.map(str::to_owned),
        cloud: reader.parsed("cloud", Cloud::parse)?,
        market: reader.parsed("market", Market::parse)?,
        partner_id: reader.maybe_parsed("csp_partner", PartnerId::parse)?,
        sessions_generation: reader.maybe_number("sessions_generation")?.unwrap_or(0),
        created_at: reader.time("created")?,
        chain: reader.chain()?,
    })
}
