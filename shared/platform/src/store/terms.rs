//! What a customer's tenant is held against, and why it can be refused: one guard for create, accept, renew and register.

use super::item::CorruptItem;
use super::keys;
use super::tenant::read_tenant;
use super::transact::Refusal;
use super::write::Write;
use domain::{Cloud, CspTenant, Market, Partner, PolicyVersion, Tenant, TenantId};

/// Facts of the partner and the policy that guard what an invitation does.
#[derive(Clone, Copy, Debug)]
pub struct CustomerRequirements {
    /// The partner's cloud, which the customer's must be.
    pub cloud: Cloud,
    /// The partner's market, which the customer's must be.
    pub market: Market,
    /// Whether CSP tenants are refused as customers.
    pub csp_refused: bool,
}

impl CustomerRequirements {
    /// The terms of a partner under a policy. A cloud without rules is refused before any of this matters.
    pub fn of(policy: &PolicyVersion, partner: &Partner) -> Self {
        let allowed = policy.cloud(partner.cloud).map(|rules| rules.csp_tenant_as_customer);
        Self { cloud: partner.cloud, market: partner.market, csp_refused: allowed != Some(CspTenant::Allowed) }
    }
}

/// Why a customer can't be invited, or can't accept.
#[derive(Clone, Debug, PartialEq)]
pub enum TenantRefusal {
    /// It is not registered.
    Unknown,
    /// It is a CSP tenant.
    Csp,
    /// It is in another cloud.
    Cloud,
    /// It is in another market.
    Market,
}

/// The guard on a customer's tenant that create, accept, renew and register share.
pub(super) fn tenant_guard(id: &TenantId, terms: CustomerRequirements) -> Write {
    let mut guard = "attribute_exists(pk) AND cloud = :cloud AND market = :market".to_owned();
    if terms.csp_refused {
        guard.push_str(" AND attribute_not_exists(csp_partner)");
    }
    Write::check(keys::tenant(id), &guard).text(":cloud", terms.cloud.as_str()).text(":market", terms.market.as_str())
}

/// Why the tenant's guard refused, first reason first.
pub(super) fn explain_tenant<W>(
    refusal: &Refusal<W>,
    terms: CustomerRequirements,
) -> Result<TenantRefusal, CorruptItem> {
    let tenant: Option<Tenant> = refusal.item.as_ref().map(read_tenant).transpose()?;
    Ok(match tenant {
        None => TenantRefusal::Unknown,
        Some(tenant) if terms.csp_refused && tenant.partner_id.is_some() => TenantRefusal::Csp,
        Some(tenant) if tenant.cloud != terms.cloud => TenantRefusal::Cloud,
        Some(_) => TenantRefusal::Market,
    })
}
