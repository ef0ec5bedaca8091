//! The operator, who registers the parties.

use local::api::{Answer, Api, Call};
use local::samples::tenants::{
    CONTOSO, FABRIKAM, LITWARE, NORTHWIND, PROSEWARE, Tenant, WINGTIP_OFFICE, WINGTIP_SALES, WOODGROVE,
};
use platform::secrets::signature::SigningSecret;
use serde_json::{Value, json};

use super::clock::ScenarioClock;
use super::error::{FailedStep, Stop};
use super::parties::{Customer, Parties, Partner};
use super::tally::Tally;

pub struct Registry<'a> {
    pub api: &'a Api,
    pub clock: &'a ScenarioClock,
    pub operator_key: &'a str,
    pub tally: &'a mut Tally,
}

impl Registry<'_> {
    pub async fn register_all(mut self) -> Result<Parties, Stop> {
        Ok(Parties {
            contoso: self.customer(&CONTOSO).await?,
            wingtip_office: self.customer(&WINGTIP_OFFICE).await?,
            woodgrove: self.customer(&WOODGROVE).await?,
            fabrikam: self.partner(&FABRIKAM).await?,
            northwind: self.partner(&NORTHWIND).await?,
            wingtip_sales: self.partner(&WINGTIP_SALES).await?,
            litware: self.partner(&LITWARE).await?,
            proseware: self.partner(&PROSEWARE).await?,
        })
    }

    async fn customer(&mut self, tenant: &Tenant) -> Result<Customer, Stop> {
        self.post("/v1/customers", &tenant.body()).await?;
        let key = self.key_for("customer", tenant, tenant.tenant_id).await?;
        Ok(Customer { name: tenant.name, tenant_id: tenant.tenant_id, key })
    }

    async fn partner(&mut self, tenant: &Tenant) -> Result<Partner, Stop> {
        let enrolled = self.post("/v1/partners", &tenant.body()).await?;
        let id = FailedStep::text(&enrolled, "/partner/partner_id")?;
        let signing_secret = SigningSecret::parse(&FailedStep::text(&enrolled, "/signing_secret")?);
        let signing_secret = signing_secret.map_err(FailedStep::from)?;
        let key = self.key_for("partner", tenant, &id).await?;
        Ok(Partner { name: tenant.name, id, key, signing_secret })
    }

    async fn key_for(&mut self, kind: &str, tenant: &Tenant, id: &str) -> Result<String, Stop> {
        let principal = json!({"kind": kind, "id": id});
        let body = json!({"principal": principal, "roles": ["global_admin"], "name": tenant.name});
        Ok(FailedStep::text(&self.post("/v1/keys", &body).await?, "/key")?)
    }

    async fn post(&mut self, path: &str, body: &Value) -> Result<Answer, Stop> {
        self.clock.advance_millis(1_000);
        let answer = self.api.send(&Call::post(path, body).key(self.operator_key)).await?;
        self.tally.count(&answer);
        FailedStep::unless_status(path, &answer, 201)?;
        Ok(answer)
    }
}
