//! Partners.

use super::change::{UNCHANGED, set};
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, bytes, number};
use super::keys::{self, Key, Listed};
use super::secrets::{SECRETS, read_secrets, secrets_value};
use super::tenant::read_tenant;
use super::transact::Outcome;
use super::write::Write;
use super::{OpContext, Store, StoreError, event};
use domain::{Cloud, Event, Market, Partner, PartnerId, PartnerStatus, Tenant, TenantId, Timestamp};

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
    /// A partner, at most 30 s old.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub async fn partner(&self, attempt: OpContext, id: &PartnerId) -> Result<Option<Partner>, StoreError> {
        match self.remembered_partner(id, attempt.occurred_at) {
            Some(partner) => Ok(Some(partner)),
            None => self.fresh_partner(attempt, id).await,
        }
    }

    /// A partner that was read less than 30 s ago.
    pub fn remembered_partner(&self, id: &PartnerId, now: Timestamp) -> Option<Partner> {
        self.partners.get(id, now)
    }

    /// A partner, as it is now.
    pub async fn fresh_partner(&self, attempt: OpContext, id: &PartnerId) -> Result<Option<Partner>, StoreError> {
        let item = self.get(attempt, &keys::partner(id)).await?;
        let partner = item.as_ref().map(read_partner).transpose()?;
        if let Some(partner) = &partner {
            self.partners.put(id.clone(), partner.clone(), attempt.occurred_at);
        }
        Ok(partner)
    }

    /// The partners of these ids, in their order, each at most 30 s old; one call for all that are not remembered.
    pub async fn partners_of(
        &self,
        attempt: OpContext,
        ids: impl Iterator<Item = &PartnerId>,
    ) -> Result<Vec<Option<Partner>>, StoreError> {
        let now = attempt.occurred_at;
        let ids: Vec<&PartnerId> = ids.collect();
        let unknown: Vec<Key> =
            ids.iter().filter(|id| self.partners.get(id, now).is_none()).map(|id| keys::partner(id)).collect();
        for item in self.get_many(attempt, &unknown, false).await?.into_iter().flatten() {
            let partner = read_partner(&item)?;
            self.partners.put(partner.partner_id.clone(), partner, now);
        }
        Ok(ids.into_iter().map(|id| self.partners.get(id, now)).collect())
    }

    /// Enrols a tenant as a partner: a CSP tenant from then on. An unknown tenant is created.
    pub async fn enrol(&self, attempt: OpContext, partner: &Partner, event: &Event) -> Result<Enrolled, StoreError> {
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

    /// Changes a partner's name, status or secrets to those of `after`. `false` when it changed meanwhile.
    pub async fn change_partner(
        &self,
        attempt: OpContext,
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
}

/// Makes a tenant a CSP tenant, creating it if it is unknown; one that is known must agree in cloud and market.
fn become_csp_tenant(partner: &Partner) -> Write {
    let expression = "SET csp_partner = :partner, v = if_not_exists(v, :schema), #name = if_not_exists(#name, :name), \
                      registered_name = if_not_exists(registered_name, :name), \
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

fn partner_item(partner: &Partner) -> Item {
    ItemBuilder::new(keys::partner(&partner.partner_id))
        .text("tenant", partner.tenant_id.as_str())
        .text("name", &partner.name)
        .text("registered_name", &partner.registered_name)
        .text("cloud", partner.cloud.as_str())
        .text("market", partner.market.as_str())
        .text("status", partner.status.as_str())
        .with(SECRETS, secrets_value(&partner.secrets))
        .time("created", partner.created_at)
        .chain(partner.chain)
        .text(keys::GSI1_PK, keys::operator_view(Listed::Partner))
        .text(keys::LISTED, Listed::Partner.at(partner.created_at))
        .build()
}

/// Reads a partner's item.
pub(super) fn read_partner(item: &Item) -> Result<Partner, CorruptItem> {
    let reader = ItemReader::new(item)?;
    Ok(Partner {
        partner_id: reader.parsed(keys::PK, |pk| PartnerId::parse(pk.strip_prefix("PARTNER#")?))?,
        tenant_id: reader.parsed("tenant", TenantId::parse)?,
        name: reader.text("name")?.to_owned(),
        registered_name: reader.text("registered_name")?.to_owned(),
        cloud: reader.parsed("cloud", Cloud::parse)?,
        market: reader.parsed("market", Market::parse)?,
        status: reader.parsed("status", PartnerStatus::parse)?,
        secrets: read_secrets(&reader)?,
        created_at: reader.time("created")?,
        chain: reader.chain()?,
    })
}
