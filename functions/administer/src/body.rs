//! The bodies that customers and partners share.

use domain::{Cloud, Corrections, Market, TenantId};
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::shape::{self, OneOf, Parsed};

/// `{tenant_id, name, domain?, cloud, market}`
pub(crate) struct TenantBody {
    pub(crate) tenant_id: TenantId,
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) cloud: Cloud,
    pub(crate) market: Market,
}

impl TenantBody {
    fn read<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let tenant_id = reader.required("tenant_id", shape::tenant_id());
        let name = reader.required("name", shape::line(rules.policy.limits.name_characters));
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
        TenantBody::read(reader, rules).map(Self)
    }
}

/// An enrollment of a partner.
pub(crate) struct PartnerBody(pub(crate) TenantBody);

impl Body for PartnerBody {
    const NAME: &'static str = "PartnerRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        TenantBody::read(reader, rules).map(Self)
    }
}

/// `{name?, domain?, market?}`; `domain: null` removes the domain.
pub(crate) struct PartnerCorrection(pub(crate) Corrections);

impl Body for PartnerCorrection {
    const NAME: &'static str = "PartnerCorrection";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let name = reader.optional("name", shape::line(rules.policy.limits.name_characters));
        let domain = reader.patch("domain", shape::domain_name()).change();
        let market = reader.optional("market", market());
        Some(Self(Corrections { name, domain, market, cloud: None }))
    }
}

/// `{name?, domain?, market?, cloud?}`; `domain: null` removes the domain.
pub(crate) struct CustomerCorrection(pub(crate) Corrections);

impl Body for CustomerCorrection {
    const NAME: &'static str = "CustomerCorrection";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let cloud = reader.optional("cloud", cloud());
        let corrections = PartnerCorrection::members(reader, rules);
        corrections.map(|PartnerCorrection(corrections)| Self(Corrections { cloud, ..corrections }))
    }
}

fn cloud() -> OneOf<'static, Cloud> {
    OneOf { all: Cloud::ALL, as_str: Cloud::as_str }
}

fn market() -> Parsed<Market> {
    Parsed {
        parse: Market::parse,
        expected: "an ISO 3166-1 alpha-2 code is expected, for example US",
        pattern: "^[A-Z]{2}$",
        format: None,
    }
}
