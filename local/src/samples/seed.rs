//! Creates the samples.

use platform::secrets::AccessKeyText;
use serde_json::{Value, json};

use super::members::{Member, OpenInvitation, Samples};
use super::seeder::{SeedError, Seeder};
use super::steps::{accept_path, acceptance, subscription};
use super::tenants::{CONTOSO, FABRIKAM, NORTHWIND, Tenant};
use crate::api::Call;

/// Creates the sample tenants, or finds those of an earlier run.
///
/// # Errors
/// [`SeedError`] if a request fails for a reason that an earlier run does not explain.
pub async fn seed(base_url: &str, operator: &AccessKeyText) -> Result<Samples, SeedError> {
    let mut api = Seeder::new(base_url)?;
    let operator = operator.expose_secret();
    // In data of an earlier run, a tenant may have been renamed, suspended or removed since. That is no failure.
    api.lenient = !api.post(operator, "/v1/customers", CONTOSO.body()).await?.is_new();
    for partner in [FABRIKAM, NORTHWIND] {
        api.post(operator, "/v1/partners", partner.body()).await?;
    }
    let contoso = member(&api, operator, CONTOSO, "customer", CONTOSO.tenant_id.to_owned()).await?;
    let fabrikam = partner(&api, operator, FABRIKAM).await?;
    let northwind = partner(&api, operator, NORTHWIND).await?;

    let delegated_admin = json!({"roles": ["helpdesk_administrator", "license_administrator"], "duration": "P365D"});
    if let Some(open) = invite(&api, &fabrikam, delegated_admin).await? {
        api.send(Call::post(accept_path(&contoso, &open), &acceptance()).key(&contoso.key)).await?;
    }
    let path = format!("/v1/partners/{}/subscriptions", fabrikam.id);
    api.post(&fabrikam.key, &path, subscription("FABRIKAM-1", "Contoso offices", 25)).await?;
    let delegated_admin = json!({"roles": ["service_support_administrator"], "duration": "P180D"});
    let invitation = invite(&api, &northwind, delegated_admin).await?;
    Ok(Samples { contoso, fabrikam, northwind, invitation })
}

async fn partner(api: &Seeder, operator: &str, tenant: Tenant) -> Result<Member, SeedError> {
    let id = tenant.partner_id().ok_or(SeedError::TenantId(tenant.tenant_id))?;
    member(api, operator, tenant, "partner", id.to_string()).await
}

/// A member with a new key, or with the key of an earlier run.
async fn member(api: &Seeder, operator: &str, tenant: Tenant, kind: &str, id: String) -> Result<Member, SeedError> {
    let name = tenant.name;
    let principal = json!({"kind": kind, "id": id});
    let body = json!({"principal": principal, "roles": ["global_admin"], "name": format!("{name}, sample")});
    let idempotency_key = format!("sample-{}", name.to_ascii_lowercase());
    let answer = api.send(Call::post("/v1/keys", &body).key(operator).idempotency_key(idempotency_key)).await?;
    Ok(Member { name, id, key: answer.text("/key")? })
}

/// Invites Contoso. The idempotency key finds the invitation of an earlier run. `None` if it has been answered.
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
