//! The tenants of samples, demo and tests.

use domain::{PartnerId, TenantId};
use serde_json::{Value, json};

/// A tenant before it is registered.
#[derive(Clone, Copy, Debug)]
pub struct Tenant {
    pub name: &'static str,
    pub tenant_id: &'static str,
    pub cloud: &'static str,
}

/// A customer.
pub const CONTOSO: Tenant = public("Contoso", "c0c0c0c0-0000-4000-8000-000000000001");
/// The partner that Contoso already works with.
pub const FABRIKAM: Tenant = public("Fabrikam", "fabfabfa-0000-4000-8000-000000000002");
/// The partner that invites Contoso.
pub const NORTHWIND: Tenant = public("Northwind", "90070000-0000-4000-8000-000000000003");
/// One company has two tenants: it sells from this one, and the next is its own office.
pub const WINGTIP_SALES: Tenant = public("Wingtip Sales", "11111111-0000-4000-8000-000000000004");
pub const WINGTIP_OFFICE: Tenant = public("Wingtip Office", "11111111-0000-4000-8000-000000000005");
pub const WOODGROVE: Tenant = us_gov("Woodgrove County", "60000000-0000-4000-8000-000000000006");
pub const LITWARE: Tenant = us_gov("Litware", "60000000-0000-4000-8000-000000000007");
pub const PROSEWARE: Tenant = us_gov("Proseware", "60000000-0000-4000-8000-000000000008");

const fn public(name: &'static str, tenant_id: &'static str) -> Tenant {
    Tenant { name, tenant_id, cloud: "public" }
}

const fn us_gov(name: &'static str, tenant_id: &'static str) -> Tenant {
    Tenant { name, tenant_id, cloud: "us_gov" }
}

impl Tenant {
    /// The body that registers it as a customer or enrolls it as a partner.
    pub fn body(&self) -> Value {
        json!({"tenant_id": self.tenant_id, "name": self.name, "cloud": self.cloud, "market": "US"})
    }

    /// The id that it has as a partner; `None` if its tenant id is malformed.
    pub fn partner_id(&self) -> Option<PartnerId> {
        TenantId::parse(self.tenant_id).map(|tenant| PartnerId::from_tenant(&tenant))
    }
}
