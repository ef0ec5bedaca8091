//! What create, accept, renew, import and register require of the customer's tenant.

use super::error::StoreError;
use super::keys;
use super::tenant::read_tenant;
use super::transact::Outcome;
use super::write::Write;
use domain::{Cloud, CspTenant, Market, Partner, PolicyVersion, TenantId};

/// What a customer must be, given the partner and the policy.
#[derive(Clone, Copy, Debug)]
pub struct CustomerRequirements {
    pub cloud: Cloud,
    pub market: Market,
    /// Whether CSP tenants are refused.
    pub csp_refused: bool,
}

impl CustomerRequirements {
    /// The caller has checked that the policy serves the partner's cloud.
    pub fn new(policy: &PolicyVersion, partner: &Partner) -> Self {
        let allowed = policy.cloud(partner.cloud).map(|rules| rules.csp_tenant_as_customer);
        Self { cloud: partner.cloud, market: partner.market, csp_refused: allowed != Some(CspTenant::Allowed) }
    }

    /// The check of the customer's tenant.
    pub(super) fn guard(self, id: &TenantId) -> Write {
        let check = Write::check(keys::tenant(id), "attribute_exists(pk) AND cloud = :cloud AND market = :market")
            .text(":cloud", self.cloud.as_str())
            .text(":market", self.market.as_str());
        if self.csp_refused { check.and("attribute_not_exists(csp_partner)") } else { check }
    }

    /// The check for what an active relationship allows: the market may have been corrected since the relationship began.
    pub(super) fn csp_guard(self, id: &TenantId) -> Write {
        let check = Write::check(keys::tenant(id), "attribute_exists(pk)");
        if self.csp_refused { check.and("attribute_not_exists(csp_partner)") } else { check }
    }

    /// Why the check of the customer's tenant failed, the most important reason first; `None` if it did not fail.
    pub(super) fn refusal(self, id: &TenantId, outcome: &Outcome) -> Result<Option<TenantRefusal>, StoreError> {
        let Some(refusal) = outcome.refusal(&keys::tenant(id)) else { return Ok(None) };
        Ok(Some(match refusal.item.as_ref().map(read_tenant).transpose()? {
            None => TenantRefusal::Unknown,
            Some(tenant) if self.csp_refused && tenant.partner_id.is_some() => TenantRefusal::Csp,
            Some(tenant) if tenant.cloud != self.cloud => TenantRefusal::Cloud,
            Some(_) => TenantRefusal::Market,
        }))
    }
}

/// Why a tenant cannot be a customer.
#[derive(Clone, Debug, PartialEq)]
pub enum TenantRefusal {
    /// It is not registered.
    Unknown,
    /// It is a CSP tenant.
    Csp,
    /// It is in another cloud than the partner.
    Cloud,
    /// It is in another market than the partner.
    Market,
}
