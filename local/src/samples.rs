//! Sample tenants and the story to try on them, made through the API itself. Doing it again changes nothing: every request
//! is idempotent by contract.

mod api;
mod story;

use domain::{PartnerId, TenantId};
use platform::secrets::AccessKeyText;
use serde_json::{Value, json};

pub use self::api::SeedError;
pub use self::story::Step;

use self::api::Seeder;
use crate::api::Call;

/// The customer.
const CONTOSO: Organisation = Organisation { name: "Contoso", tenant_id: "c0c0c0c0-0000-4000-8000-000000000001" };
/// The partner that Contoso works with already.
const FABRIKAM: Organisation = Organisation { name: "Fabrikam", tenant_id: "fabfabfa-0000-4000-8000-000000000002" };
/// The partner that invites Contoso.
const NORTHWIND: Organisation = Organisation { name: "Northwind", tenant_id: "90070000-0000-4000-8000-000000000003" };

struct Organisation {
    name: &'static str,
    tenant_id: &'static str,
}

/// A sample tenant and its key.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// A partner's `ptr_…`, a customer's tenant id.
    pub id: String,
    /// A key of its own.
    pub key: String,
}

/// An invitation that waits for its answer.
#[derive(Clone, Debug)]
pub struct OpenInvitation {
    /// Its id.
    pub id: String,
    /// Its link.
    pub link: String,
    /// The secret in the link.
    pub token: String,
}

/// What there is to play with.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The customer.
    pub contoso: Member,
    /// Its partner, with one subscription.
    pub fabrikam: Member,
    /// The partner that would like to be the second.
    pub northwind: Member,
    /// Northwind's invitation, unless it has been answered in an earlier run.
    pub invitation: Option<OpenInvitation>,
}

/// Makes the sample tenants, or finds those of an earlier run.
///
/// # Errors
/// [`SeedError`] when a request fails that nothing an earlier run did can explain.
pub async fn seed(base_url: &str, operator: &AccessKeyText) -> Result<Samples, SeedError> {
    let mut api = Seeder::new(base_url)?;
    let operator = operator.expose_secret();
    // On data of an earlier run, a refusal only shows what their owner has done since: renamed, suspended, ended.
    api.lenient = !api.post(operator, "/v1/customers", CONTOSO.body()).await?.is_new();
    for partner in [FABRIKAM, NORTHWIND] {
        api.post(operator, "/v1/partners", partner.body()).await?;
    }
    let contoso = CONTOSO.tenant_id.to_owned();
    let contoso = member(&api, operator, CONTOSO, "customer", contoso).await?;
    let fabrikam = member(&api, operator, FABRIKAM, "partner", FABRIKAM.partner_id()).await?;
    let northwind = member(&api, operator, NORTHWIND, "partner", NORTHWIND.partner_id()).await?;

    let delegated_admin = json!({"roles": ["helpdesk_administrator", "license_administrator"], "duration": "P365D"});
    if let Some(open) = invite(&api, &fabrikam, delegated_admin).await? {
        let path = format!("/v1/invitations/{}/accept", open.id);
        api.send(Call::post(path, &story::acceptance(&open.token))).await?;
    }
    let path = format!("/v1/partners/{}/subscriptions", fabrikam.id);
    api.post(&fabrikam.key, &path, story::subscription("FABRIKAM-1", "Contoso offices", 25)).await?;
    let delegated_admin = json!({"roles": ["service_support_administrator"], "duration": "P180D"});
    let invitation = invite(&api, &northwind, delegated_admin).await?;
    Ok(Samples { contoso, fabrikam, northwind, invitation })
}

impl Organisation {
    fn body(&self) -> Value {
        json!({"tenant_id": self.tenant_id, "name": self.name, "cloud": "public", "market": "US"})
    }

    fn partner_id(&self) -> String {
        TenantId::parse(self.tenant_id).map_or_else(String::new, |tenant| PartnerId::from_tenant(&tenant).to_string())
    }
}

/// A member with a key: a new one, or the same as in an earlier run.
async fn member(
    api: &Seeder,
    operator: &str,
    organisation: Organisation,
    kind: &str,
    id: String,
) -> Result<Member, SeedError> {
    let name = organisation.name;
    let body = json!({
        "principal": {"kind": kind, "id": id},
        "roles": ["global_admin"],
        "name": format!("{name}, sample"),
    });
    let idempotency_key = format!("sample-{}", name.to_ascii_lowercase());
    let answer = api.send(Call::post("/v1/keys", &body).key(operator).idempotency_key(idempotency_key)).await?;
    Ok(Member { name, id, key: answer.text("/key")? })
}

/// Invites Contoso, under an idempotency key: an earlier run's invitation is found again. `None` when it is answered.
async fn invite(api: &Seeder, partner: &Member, delegated_admin: Value) -> Result<Option<OpenInvitation>, SeedError> {
    let path = format!("/v1/partners/{}/invitations", partner.id);
    let body = json!({
        "customer_tenant_id": CONTOSO.tenant_id,
        "delegated_admin": delegated_admin,
        "message": format!("{} would like to work with you.", partner.name),
    });
    let answer = api.send(Call::post(path, &body).key(&partner.key).idempotency_key("sample-invitation")).await?;
    let Ok(link) = answer.text("/accept_url") else { return Ok(None) };
    let token = link.split_once('#').map_or("", |(_, token)| token).to_owned();
    Ok(Some(OpenInvitation { id: answer.text("/invitation/invitation_id")?, link, token }))
}

#[cfg(test)]
mod tests;
