//! Members that the operator's bodies share.

use domain::{Cloud, Market, TenantId, text};
use platform::http_api::Problem;
use platform::http_api::fields::{self, Fields};
use serde_json::Value;

use crate::Act;

/// Who an organisation is.
pub(crate) struct Organisation {
    pub(crate) tenant_id: TenantId,
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) cloud: Cloud,
    pub(crate) market: Market,
}

/// A display name.
pub(crate) fn name(act: &Act<'_>) -> impl FnOnce(Value) -> Result<String, fields::InvalidField> + use<> {
    let longest = act.app.policy_for(act.request).limits.name_characters;
    fields::checked(move |value| text::line(value, longest))
}

/// `{name}`
pub(crate) fn new_name(act: &Act<'_>) -> Result<String, Problem> {
    let mut fields = Fields::of_body(act.request)?;
    let name = fields.required("name", name(act));
    fields.finish(name)
}

impl Organisation {
    /// `{tenant_id, name, domain?, cloud, market}`; partners have no domain.
    pub(crate) fn read(act: &Act<'_>, may_have_domain: bool) -> Result<Self, Problem> {
        let mut fields = Fields::of_body(act.request)?;
        let tenant_id = fields.required("tenant_id", fields::tenant_id);
        let name = fields.required("name", name(act));
        let domain = if may_have_domain { fields.optional("domain", fields::checked(text::domain_name)) } else { None };
        let cloud = fields.required("cloud", fields::text(Cloud::parse, "public or us_gov is expected"));
        let market =
            fields.required("market", fields::text(Market::parse, "an ISO 3166 code is expected, for example US"));
        let read = || Some(Self { tenant_id: tenant_id?, name: name?, domain, cloud: cloud?, market: market? });
        fields.finish(read())
    }
}
