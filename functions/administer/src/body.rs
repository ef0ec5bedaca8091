//! The bodies that customers and partners share.

use domain::{Cloud, Market, TenantId};
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::shape::{self, OneOf, Parsed};

/// `{tenant_id, name, domain?, cloud, market}`
pub(crate) struct CustomerBody {
    pub(crate) tenant: TenantBody,
    pub(crate) domain: Option<String>,
}

impl Body for CustomerBody {
    const NAME: &'static str = "CustomerRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let domain = reader.optional("domain", shape::domain_name());
        TenantBody::members(reader, rules).map(|tenant| Self { tenant, domain })
    }
}

/// `{tenant_id, name, cloud, market}`
pub(crate) struct TenantBody {
    pub(crate) tenant_id: TenantId,
    pub(crate) name: String,
    pub(crate) cloud: Cloud,
    pub(crate) market: Market,
}

impl Body for TenantBody {
    const NAME: &'static str = "PartnerRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let tenant_id = reader.required("tenant_id", shape::tenant_id());
        let name = reader.required("name", shape::line(rules.policy.limits.name_characters));
        let cloud = reader.required("cloud", OneOf { all: Cloud::ALL, as_str: Cloud::as_str });
        let market = reader.required("market", market());
        Some(Self { tenant_id: tenant_id?, name: name?, cloud: cloud?, market: market? })
    }
}

fn market() -> Parsed<Market> {
    Parsed {
        parse: Market::parse,
        expected: "an ISO 3166-1 alpha-2 code is expected, for example US",
        pattern: "^[A-Z]{2}$",
        format: None,
    }
}

/// `{name}`
pub(crate) struct NameBody {
    pub(crate) name: String,
}

impl Body for NameBody {
    const NAME: &'static str = "RenameRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        reader.required("name", shape::line(rules.policy.limits.name_characters)).map(|name| Self { name })
    }
}
