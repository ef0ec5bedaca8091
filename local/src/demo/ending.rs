//! What ends: roles by themselves and by hand, a relationship and what goes with it.

use local::api::Answer;
use platform::clock::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use super::cast::Offer;
use super::joining::{GRANTED_DAYS, grants_of, items, join, row_of, sell};
use super::stage::{Stage, Stop, text};

pub async fn grants(stage: &mut Stage) -> Result<(), Stop> {
    let (contoso, northwind) = (stage.cast.contoso.clone(), stage.cast.northwind.clone());
    let first = grants_of(stage, &northwind, &contoso).await?.first().cloned().unwrap_or_default();
    let id = first["grant_id"].as_str().unwrap_or_default().to_owned();
    stage.tell("The days go by until Northwind's role has ended")?;
    stage.days(GRANTED_DAYS - 29).await?;
    let path = format!("/events?subject={id}");
    let told = [stage.read(northwind.get(&path)).await?, stage.read(contoso.get(&path)).await?];
    let both = told
        .iter()
        .all(|page| announced(page) == json!([["expired", null], ["expiring", 1], ["expiring", 7], ["expiring", 30]]));
    stage.check("both hear of it 30, 7 and 1 days before, and at its end, once each", both)?;
    let row = row_of(stage, &northwind, &contoso).await?;
    let over = row["grants"][0]["state"] == "expired" && row["state"] == "active";
    stage.check("the role is over, the relationship is not", over)?;

    let grant = ask_for_role(stage, "readers", "directory_readers").await?;
    let end = || contoso.call(Method::DELETE, &format!("/grants/{grant}"));
    let ended = stage.act("Contoso ends that one itself", end(), 200).await?;
    let row = row_of(stage, &northwind, &contoso).await?;
    let alone = ended.text("/grant/state") == Some("ended") && row["state"] == "active";
    stage.check("a role ends alone: the relationship goes on", alone)?;
    let again = stage.send(&end()).await?;
    stage.check("ending it again changes nothing", again.replayed && same_grant(&again, &ended))
}

/// What was announced of a grant, newest first.
fn announced(page: &Answer) -> Value {
    let notice = |event: &Value| Some(json!([event["type"].as_str()?.strip_prefix("grant.")?, event["data"]["days"]]));
    items(&page.json).iter().filter_map(notice).collect()
}

fn same_grant(a: &Answer, b: &Answer) -> bool {
    a.json["grant"] == b.json["grant"]
}

/// Northwind asks for a role within the relationship, by a signed webhook, and Contoso grants it; the grant's id.
async fn ask_for_role(stage: &mut Stage, id: &str, role: &str) -> Result<String, Stop> {
    let (contoso, northwind) = (stage.cast.contoso.clone(), stage.cast.northwind.clone());
    let asked = json!({"roles": [role], "duration": "P180D"});
    let data = json!({"customer_tenant_id": contoso.tenant_id, "delegated_admin": asked});
    let message = northwind.webhook("/invitations", id, stage.clock.now(), "invitation.create", data);
    let words = format!("Northwind asks for the role {role}, and Contoso grants it");
    let invited = stage.act(&words, message.clone(), 201).await?;
    let again = stage.send(&message).await?;
    let same = again.body == invited.body && again.replayed;
    stage.check("the same message again gets the same invitation and link", same)?;
    let link = stage.link(&invited)?;
    let accepted = stage.send(&link.accepts(Some(json!("as_requested")))).await?;
    text(&accepted, "/grant/grant_id")
}

pub async fn relationship(stage: &mut Stage) -> Result<(), Stop> {
    let (contoso, northwind) = (stage.cast.contoso.clone(), stage.cast.northwind.clone());
    let fabrikam = stage.cast.fabrikam.clone();
    let grant = ask_for_role(stage, "support", "service_support_administrator").await?;
    let before = row_of(stage, &fabrikam, &contoso).await?;
    let ended = stage.act("Contoso ends its relationship with Northwind", contoso.leaves(&northwind), 200).await?;
    let row = row_of(stage, &northwind, &contoso).await?;
    let over = |row: &Value| {
        row["grants"].as_array().is_some_and(|grants| grants.iter().all(|grant| grant["state"] != "active"))
    };
    let listed = row["grants"].as_array().is_some_and(|grants| grants.iter().any(|one| one["grant_id"] == *grant));
    stage.check("every role of Northwind ends with it", row["state"] == "ended" && over(&row) && listed)?;
    let late = Offer { id: "NORTHWIND-LATE", service: "azure", quantity: 1 };
    let words = "Northwind can sell nothing new";
    stage.refused(words, northwind.registers(&late, &contoso), 403, "no_active_relationship").await?;
    let again = stage.send(&contoso.leaves(&northwind)).await?;
    stage.check("ending it again changes nothing", again.body == ended.body && again.replayed)?;
    let after = row_of(stage, &fabrikam, &contoso).await?;
    stage.check("Fabrikam's relationship is as it was", !before.is_null() && before == after)?;
    let owned = stage.read(contoso.get("/subscriptions")).await?;
    let kept = items(&owned.json).iter().filter(|row| row["partner_of_record"] == northwind.id).count();
    stage.check("what Northwind sold is still Contoso's, and Northwind its partner of record", kept == 2)?;

    join(stage, &northwind, &contoso).await?;
    sell(stage, &northwind, &late, &contoso).await?;
    let row = row_of(stage, &northwind, &contoso).await?;
    stage.check("no role of before came back", row["state"] == "active" && over(&row))
}
