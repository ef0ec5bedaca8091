//! The bodies that customers and partners share.

use domain::{Cloud, Corrections, Market, TenantId};
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::shape::{self, OneOf, OrganizationId, Parsed, Shape};

/// `{tenant_id, name, domain?, cloud, market}`
pub(crate) struct TenantBody {
    pub(crate) tenant_id: TenantId,
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) cloud: Cloud,
    pub(crate) market: Market,
}

impl TenantBody {
    /// The name has the shape of its kind of tenant.
    fn read<R: Reader>(reader: &mut R, name: impl Shape<Out = String>) -> Option<Self> {
        let tenant_id = reader.required("tenant_id", OrganizationId);
        let name = reader.required("name", name);
        let domain = reader.optional("domain", shape::domain_name());
        let cloud = reader.required("cloud", cloud());
        let market = reader.required("market", market());
        Some(Self { tenant_id: tenant_id?, name: name?, domain, cloud: cloud?, market: market? })
    }
}

/// A registration of a customer.
pub(crate) struct CustomerBody(pub(crate) TenantBody);

impl Body for CustomerBody {
    const NAME: &'static str = "CustomerRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        TenantBody::read(reader, shape::line(rules.policy.limits.name_characters)).map(Self)
    }
}

/// An enrollment of a partner.
pub(crate) struct PartnerBody(pub(crate) TenantBody);

impl Body for PartnerBody {
    const NAME: &'static str = "PartnerRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        TenantBody::read(reader, shape::partner_name(rules.policy.limits.name_characters)).map(Self)
    }
}

/// `{name?, domain?, market?}`; `domain: null` removes the domain.
pub(crate) struct PartnerCorrection(pub(crate) Corrections);

impl Body for PartnerCorrection {
    const NAME: &'static str = "PartnerCorrection";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let name = shape::partner_name(rules.policy.limits.name_characters);
        Some(Self(corrections(reader, name)))
    }
}

/// `{name?, domain?, market?, cloud?}`; `domain: null` removes the domain.
pub(crate) struct CustomerCorrection(pub(crate) Corrections);

impl Body for CustomerCorrection {
    const NAME: &'static str = "CustomerCorrection";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let cloud = reader.optional("cloud", cloud());
        let name = shape::line(rules.policy.limits.name_characters);
        Some(Self(Corrections { cloud, ..corrections(reader, name) }))
    }
}

/// The corrections that customers and partners share. The name has the shape of its kind of tenant.
fn corrections<R: Reader>(reader: &mut R, name: impl Shape<Out = String>) -> Corrections {
    let name = reader.optional("name", name);
    let domain = reader.patch("domain", shape::domain_name()).change();
    let market = reader.optional("market", market());
    Corrections { name, domain, market, cloud: None }
}

fn cloud() -> OneOf<'static, Cloud> {
    OneOf { all: Cloud::ALL, as_str: Cloud::as_str }
}

fn market() -> Parsed<Market> {
    Parsed {
        parse: Market::parse_assigned,
        expected: "an assigned ISO 3166-1 alpha-2 code is expected, for example US or GB",
        pattern: "^[A-Z]{2}$",
        format: None,
    }
}
