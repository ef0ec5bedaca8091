//! How roles and relationships end.

use local::api::Answer;
use platform::clock::Clock;
use serde_json::{Value, json};

use super::error::{FailedStep, Stop};
use super::joining::{GRANTED_DAYS, join_again, sell};
use super::link::Link;
use super::pages::{grants_of, items, row_of};
use super::parties::Offer;
use super::scenario::Scenario;

pub async fn grants(scenario: &mut Scenario) -> Result<(), Stop> {
    let (contoso, northwind) = (scenario.parties.contoso.clone(), scenario.parties.northwind.clone());
    let first = grants_of(scenario, &northwind, &contoso).await?.first().cloned().unwrap_or_default();
    let id = first["grant_id"].as_str().unwrap_or_default().to_owned();
    scenario.print("Days pass until Northwind's role expires")?;
    scenario.pass_days(GRANTED_DAYS - 29).await?;
    let path = format!("/events?subject={id}");
    let pages = [scenario.read(northwind.get(&path)).await?, scenario.read(contoso.get(&path)).await?];
    let both = pages
        .iter()
        .all(|page| announced(page) == json!([["expired", null], ["expiring", 1], ["expiring", 7], ["expiring", 30]]));
    scenario.check("both get one event 30, 7 and 1 days before the end, and one at the end", both)?;
    let row = row_of(scenario, &northwind, &contoso).await?;
    let over = row["grants"][0]["state"] == "expired" && row["state"] == "active";
    scenario.check("the role has expired, and the relationship is active", over)?;

    let grant = ask_for_role(scenario, "readers", "directory_readers").await?;
    let end = || contoso.call("DELETE", &format!("/grants/{grant}"));
    let ended = scenario.step("Contoso ends that role", end(), 200).await?;
    let row = row_of(scenario, &northwind, &contoso).await?;
    let alone = ended.text("/grant/state") == Some("ended") && row["state"] == "active";
    scenario.check("ending a role ends nothing else: the relationship is active", alone)?;
    let again = scenario.send(&end()).await?;
    scenario.check("ending it again changes nothing", again.replayed() && same_grant(&again, &ended))
}

/// The announcements about a grant, newest first.
fn announced(page: &Answer) -> Value {
    let notice = |event: &Value| Some(json!([event["type"].as_str()?.strip_prefix("grant.")?, event["data"]["days"]]));
    items(page.json()).iter().filter_map(notice).collect()
}

fn same_grant(a: &Answer, b: &Answer) -> bool {
    a.json()["grant"] == b.json()["grant"]
}

/// Northwind asks for a role by a signed webhook, and Contoso grants it. Returns the grant's id.
async fn ask_for_role(scenario: &mut Scenario, id: &str, role: &str) -> Result<String, Stop> {
    let (contoso, northwind) = (scenario.parties.contoso.clone(), scenario.parties.northwind.clone());
    let asked = json!({"roles": [role], "duration": "P180D"});
    let data = json!({"customer_tenant_id": contoso.tenant_id, "delegated_admin": asked});
    let message = northwind.webhook("/invitations", id, scenario.clock.now(), "invitation.create", data);
    let text = format!("Northwind asks for the role {role}, and Contoso grants it");
    let invited = scenario.step(&text, message.clone(), 201).await?;
    let again = scenario.send(&message).await?;
    let same = again.body == invited.body && again.replayed();
    scenario.check("the same message again returns the same invitation and link", same)?;
    let link = Link::from_answer(&invited)?;
    let accepted = scenario.send(&contoso.accepts(&link.invitation_id, Some(json!("as_requested")))).await?;
    Ok(FailedStep::text(&accepted, "/grant/grant_id")?)
}

pub async fn relationship(scenario: &mut Scenario) -> Result<(), Stop> {
    let (contoso, northwind) = (scenario.parties.contoso.clone(), scenario.parties.northwind.clone());
    let fabrikam = scenario.parties.fabrikam.clone();
    let grant = ask_for_role(scenario, "support", "service_support_administrator").await?;
    let before = row_of(scenario, &fabrikam, &contoso).await?;
    let ended = scenario
        .step("Contoso ends its relationship with Northwind", contoso.ends_relationship(&northwind), 200)
        .await?;
    let row = row_of(scenario, &northwind, &contoso).await?;
    let over = |row: &Value| {
        row["grants"].as_array().is_some_and(|grants| grants.iter().all(|grant| grant["state"] != "active"))
    };
    let listed = row["grants"].as_array().is_some_and(|grants| grants.iter().any(|one| one["grant_id"] == *grant));
    scenario.check("every role of Northwind ends with it", row["state"] == "ended" && over(&row) && listed)?;
    let late = Offer { id: "NORTHWIND-LATE", service: "azure", quantity: 1 };
    let text = "Northwind cannot register new subscriptions";
    scenario.rejected(text, northwind.registers(&late, &contoso), 403, "no_active_relationship").await?;
    let again = scenario.send(&contoso.ends_relationship(&northwind)).await?;
    scenario.check("ending it again changes nothing", again.body == ended.body && again.replayed())?;
    let after = row_of(scenario, &fabrikam, &contoso).await?;
    scenario.check("Fabrikam's relationship has not changed", !before.is_null() && before == after)?;
    let owned = scenario.read(contoso.get("/subscriptions")).await?;
    let kept = items(owned.json()).iter().filter(|row| row["partner_of_record"] == northwind.id).count();
    scenario.check("Contoso keeps what Northwind sold, and Northwind remains its partner of record", kept == 2)?;

    join_again(scenario, &northwind, &contoso).await?;
    sell(scenario, &northwind, &late, &contoso).await?;
    let row = row_of(scenario, &northwind, &contoso).await?;
    scenario
        .check("the relationship is active again, without its earlier roles", row["state"] == "active" && over(&row))
}
