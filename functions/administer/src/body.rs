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
        let name = reader.required("name", shape::line(rules.policy.limits.name_characters));
        tenant(reader, name).map(|tenant| Self { tenant, domain })
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
        let name = reader.required("name", shape::partner_name(rules.policy.limits.name_characters));
        tenant(reader, name)
    }
}

/// The members of a tenant besides its name.
fn tenant<R: Reader>(reader: &mut R, name: Option<String>) -> Option<TenantBody> {
    let tenant_id = reader.required("tenant_id", shape::tenant_id());
    let cloud = reader.required("cloud", OneOf { all: Cloud::ALL, as_str: Cloud::as_str });
    let market = reader.required("market", market());
    Some(TenantBody { tenant_id: tenant_id?, name: name?, cloud: cloud?, market: market? })
}

fn market() -> Parsed<Market> {
    Parsed {
        parse: Market::parse_assigned,
        expected: "an assigned ISO 3166-1 alpha-2 code is expected, for example US or GB",
        pattern: "^[A-Z]{2}$",
        format: None,
    }
}

/// `{name}` of a partner
pub(crate) struct PartnerNameBody {
    pub(crate) name: String,
}

impl Body for PartnerNameBody {
    const NAME: &'static str = "PartnerRenameRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        reader.required("name", shape::partner_name(rules.policy.limits.name_characters)).map(|name| Self { name })
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
