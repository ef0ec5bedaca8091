//! Addresses: every endpoint is below a cloud and a tenant.

use domain::{Cloud, TenantId};

/// A path below a cloud and a tenant.
pub(super) struct Place {
    pub(super) cloud: Cloud,
    pub(super) tenant: TenantId,
    pub(super) rest: String,
}

impl Place {
    /// Reads `/{cloud}/{tenant}/{rest}`.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let (cloud, rest) = path.strip_prefix('/')?.split_once('/')?;
        let (tenant, rest) = rest.split_once('/')?;
        Some(Self { cloud: Cloud::parse(cloud)?, tenant: TenantId::parse(tenant)?, rest: rest.to_owned() })
    }
}
