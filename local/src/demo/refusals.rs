//! What is rejected.

use local::api::{Answer, Call};
use local::samples::tenants::{WINGTIP_OFFICE, WINGTIP_SALES};
use serde_json::{Value, json};

use super::error::Stop;
use super::joining::{FABRIKAM_AZURE, join, sell};
use super::link::Link;
use super::pages::items;
use super::parties::Offer;
use super::scenario::Scenario;

pub async fn no_access(scenario: &mut Scenario) -> Result<(), Stop> {
    let contoso = scenario.parties.contoso.clone();
    let (fabrikam, northwind) = (scenario.parties.fabrikam.clone(), scenario.parties.northwind.clone());
    let id = FABRIKAM_AZURE.id;
    let text = "Northwind cannot register Fabrikam's subscription";
    let taken =
        scenario.rejected(text, northwind.registers(&FABRIKAM_AZURE, &contoso), 409, "subscription_exists").await?;
    let response = String::from_utf8_lossy(&taken.body).to_lowercase();
    let silent = !response.contains("fabrikam") && !response.contains(&fabrikam.id);
    scenario.check("the response does not say whose subscription it is", silent)?;
    let gift = Offer { id: "GIFT", service: "azure", quantity: 1 };
    let for_other = northwind.registers_for(&fabrikam, &gift, &contoso);
    let text = "Northwind cannot register a subscription with Fabrikam as partner of record";
    scenario.rejected(text, for_other, 422, "partner_of_record_mismatch").await?;

    let mut immutable = true;
    for method in ["PUT", "PATCH", "DELETE"] {
        let answer = scenario.send(&northwind.call(method, &format!("/subscriptions/{id}"))).await?;
        immutable &= answer.status == 405 && answer.code() == "subscription_immutable";
    }
    let text = "PUT, PATCH and DELETE of a subscription are always rejected (405 subscription_immutable)";
    scenario.check(text, immutable)?;
    let theirs = |id: &str| Call::get(format!("/v1/partners/{}/subscriptions/{id}", fabrikam.id)).key(&northwind.key);
    let foreign =
        scenario.rejected("Northwind cannot read Fabrikam's subscription", theirs(id), 404, "not_found").await?;
    let unknown = scenario.send(&theirs("UNKNOWN-SUBSCRIPTION")).await?;
    let same = without_instance(&foreign) == without_instance(&unknown);
    scenario.check("the response is the same as for a subscription that does not exist", same)?;
    let listed = scenario.read(northwind.get("/subscriptions")).await?;
    let own = items(listed.json()).iter().all(|row| row["partner_of_record"] == northwind.id);
    scenario.check("Northwind's list has only its own subscriptions", own)?;
    let path = format!("/v1/partners/{}/customers/{}", fabrikam.id, contoso.tenant_id);
    let ending = Call::new("DELETE", path).key(&northwind.key);
    scenario.rejected("Northwind cannot end Fabrikam's relationship", ending, 404, "not_found").await?;
    Ok(())
}

/// The problem without the member that identifies the request.
fn without_instance(answer: &Answer) -> Value {
    let mut problem = answer.json().clone();
    problem["instance"] = Value::Null;
    problem
}

pub async fn csp_tenant(scenario: &mut Scenario) -> Result<(), Stop> {
    let (northwind, office) = (scenario.parties.northwind.clone(), scenario.parties.wingtip_office.clone());
    let to_sales = northwind.invites(WINGTIP_SALES.tenant_id, Value::Null, "wingtip-sales");
    let text = "Northwind cannot invite the tenant that Wingtip sells from";
    scenario.rejected(text, to_sales, 403, "customer_is_csp_tenant").await?;
    let own = scenario.parties.wingtip_sales.invites(WINGTIP_SALES.tenant_id, Value::Null, "self");
    scenario.rejected("Wingtip cannot be its own customer", own, 422, "self_relationship").await?;
    join(scenario, &northwind, &office).await?;
    let offer = Offer { id: "NORTHWIND-WINGTIP", service: "office_365", quantity: 10 };
    sell(scenario, &northwind, &offer, &office).await?;

    let enroll =
        Call::post("/v1/partners", &WINGTIP_OFFICE.body()).key(scenario.local().operator_key().expose_secret());
    scenario.step("Wingtip begins to sell from its office tenant, too", enroll, 201).await?;
    let more = Offer { id: "NORTHWIND-WINGTIP-2", service: "azure", quantity: 1 };
    let text = "Wingtip Office keeps its subscriptions and cannot get new ones";
    scenario.rejected(text, northwind.registers(&more, &office), 403, "customer_is_csp_tenant").await?;
    Ok(())
}

pub async fn us_government(scenario: &mut Scenario) -> Result<(), Stop> {
    let woodgrove = scenario.parties.woodgrove.clone();
    let (litware, proseware) = (scenario.parties.litware.clone(), scenario.parties.proseware.clone());
    let without = litware.invites(woodgrove.tenant_id, Value::Null, "without");
    let text = "an invitation must ask for delegated administration";
    scenario.rejected(text, without, 422, "delegated_admin_required").await?;
    let asked = json!({"roles": ["service_support_administrator"], "duration": "P365D"});
    for (partner, offer) in [
        (&litware, Offer { id: "LITWARE-OFFICE", service: "office_365", quantity: 100 }),
        (&proseware, Offer { id: "PROSEWARE-AZURE", service: "azure", quantity: 1 }),
    ] {
        let text = format!("{} invites Woodgrove County and asks for a role", partner.name);
        let invited = scenario.step(&text, partner.invites(woodgrove.tenant_id, asked.clone(), "gov"), 201).await?;
        let link = Link::from_answer(&invited)?;
        let refused = link.accepts(Some(json!("refused")));
        let text = "Woodgrove County cannot accept without granting a role";
        scenario.rejected(text, refused, 422, "delegated_admin_required").await?;
        let accept = woodgrove.accepts(&link.invitation_id, Some(json!("as_requested")));
        scenario.step("Woodgrove County accepts with its key", accept, 200).await?;
        sell(scenario, partner, &offer, &woodgrove).await?;
    }
    let page = scenario.read(woodgrove.get("/partners")).await?;
    scenario.check("Woodgrove County has two partners", items(page.json()).len() == 2)?;
    let across = scenario.parties.northwind.invites(woodgrove.tenant_id, asked, "across");
    scenario
        .rejected("a partner in the public cloud cannot invite Woodgrove County", across, 422, "cloud_mismatch")
        .await?;
    Ok(())
}
