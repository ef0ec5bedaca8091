//! Tenants: customers, and CSP tenants once they enrol.

use super::change::{UNCHANGED, set};
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader};
use super::keys::{self, Key, Listed};
use super::write::Write;
use super::{OpContext, Registered, Store, StoreError};
use domain::{Cloud, Event, Market, PartnerId, Tenant, TenantId};

impl Store {
    /// A tenant, as it is now.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub async fn tenant(&self, attempt: OpContext, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let item = self.get(attempt, &keys::tenant(id)).await?;
        Ok(item.as_ref().map(read_tenant).transpose()?)
    }

    /// The names of these tenants, in their order, each at most 30 s old; one call for all that are not remembered.
    pub async fn tenant_names(
        &self,
        attempt: OpContext,
        ids: impl Iterator<Item = &TenantId>,
    ) -> Result<Vec<Option<String>>, StoreError> {
        let now = attempt.occurred_at;
        let ids: Vec<&TenantId> = ids.collect();
        let unknown: Vec<Key> =
            ids.iter().filter(|id| self.tenant_names.get(id, now).is_none()).map(|id| keys::tenant(id)).collect();
        for item in self.get_many(attempt, &unknown, false).await?.into_iter().flatten() {
            let tenant = read_tenant(&item)?;
            self.tenant_names.put(tenant.tenant_id, tenant.name, now);
        }
        Ok(ids.into_iter().map(|id| self.tenant_names.get(id, now)).collect())
    }

    /// A tenant's name, at most 30 s old.
    pub async fn tenant_name(&self, attempt: OpContext, id: &TenantId) -> Result<Option<String>, StoreError> {
        if let Some(name) = self.tenant_names.get(id, attempt.occurred_at) {
            return Ok(Some(name));
        }
        let name = self.tenant(attempt, id).await?.map(|tenant| tenant.name);
        if let Some(name) = &name {
            self.tenant_names.put(id.clone(), name.clone(), attempt.occurred_at);
        }
        Ok(name)
    }

    /// Registers a customer's tenant.
    pub async fn register_customer(
        &self,
        attempt: OpContext,
        tenant: &Tenant,
        event: &Event,
    ) -> Result<Registered<Tenant>, StoreError> {
        let tenant = Tenant { chain: event.chain_after(&[0; 32]), ..tenant.clone() };
        let item = tenant_item(&tenant);
        self.register(attempt, item, event, &tenant.chain, read_tenant).await
    }

    /// Gives a customer another name. `false` when it changed meanwhile.
    pub async fn rename_tenant(
        &self,
        attempt: OpContext,
        tenant: &Tenant,
        name: &str,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let write = Write::update(keys::tenant(&tenant.tenant_id), &set("#name = :name"), UNCHANGED);
        self.change(attempt, write.name("#name", "name").text(":name", name), &tenant.chain, event).await
    }
}

fn tenant_item(tenant: &Tenant) -> Item {
    ItemBuilder::new(keys::tenant(&tenant.tenant_id))
        .text("name", &tenant.name)
        .text("registered_name", &tenant.registered_name)
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
        registered_name: reader.text("registered_name")?.to_owned(),
        domain: reader.maybe_text("domain")?.map(str::to_owned),
        cloud: reader.parsed("cloud", Cloud::parse)?,
        market: reader.parsed("market", Market::parse)?,
        partner_id: reader.maybe_parsed("csp_partner", PartnerId::parse)?,
        created_at: reader.time("created")?,
        chain: reader.chain()?,
    })
}
