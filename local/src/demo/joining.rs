//! How partners join, and what they sell.

use platform::clock::Clock;
use serde_json::{Value, json};

use super::cast::{Customer, Offer, Partner};
use super::stage::{Stage, Stop};

const OFFICE: Offer = Offer { id: "FABRIKAM-OFFICE-365", service: "office_365", quantity: 25 };
pub const FABRIKAM_AZURE: Offer = Offer { id: "FABRIKAM-AZURE", service: "azure", quantity: 1 };
pub const NORTHWIND_AZURE: Offer = Offer { id: "NORTHWIND-AZURE", service: "azure", quantity: 1 };

/// A relationship without delegated administration.
pub async fn join(stage: &mut Stage, partner: &Partner, customer: &Customer) -> Result<(), Stop> {
    let words = format!("{} invites {}, which accepts by the link", partner.name, customer.name);
    let name = format!("join-{}-{}", customer.tenant_id, stage.clock.day());
    let invited = stage.act(&words, partner.invites(customer.tenant_id, Value::Null, &name), 201).await?;
    let link = stage.link(&invited)?;
    let accepted = stage.send(&link.accepts(None)).await?;
    let active = accepted.text("/relationship/state") == Some("active");
    stage.check(&format!("{} and {} have a relationship", partner.name, customer.name), active)
}

/// A registration by its partner of record.
pub async fn sell(stage: &mut Stage, partner: &Partner, offer: &Offer, customer: &Customer) -> Result<(), Stop> {
    let words = format!("{} registers {}", partner.name, offer.id);
    let registered = stage.act(&words, partner.registers(offer, customer), 201).await?;
    let of_record = registered.text("/subscription/partner_of_record") == Some(&partner.id);
    stage.check(&format!("{} is its partner of record", partner.name), of_record)
}

pub async fn first_partner(stage: &mut Stage) -> Result<(), Stop> {
    let (contoso, fabrikam) = (stage.cast.contoso.clone(), stage.cast.fabrikam.clone());
    join(stage, &fabrikam, &contoso).await?;
    sell(stage, &fabrikam, &OFFICE, &contoso).await
}

/// What Northwind asks for, and what it gets.
const ASKED: [&str; 2] = ["helpdesk_administrator", "license_administrator"];
const GRANTED: [&str; 1] = ["helpdesk_administrator"];
pub const GRANTED_DAYS: u32 = 90;

pub async fn second_partner(stage: &mut Stage) -> Result<(), Stop> {
    let (contoso, northwind) = (stage.cast.contoso.clone(), stage.cast.northwind.clone());
    let asked = json!({"roles": ASKED, "duration": "P365D"});
    let words = "Northwind invites Contoso and asks for two roles for a year";
    let invited = stage.act(words, northwind.invites(contoso.tenant_id, asked, "second-partner"), 201).await?;
    let link = stage.link(&invited)?;

    let looks = [stage.read(link.preview()).await?, stage.read(link.preview()).await?];
    let told = looks[0].text("/partner/name") == Some("Northwind")
        && looks[0].json.pointer("/invitation/delegated_admin/roles") == Some(&json!(ASKED))
        && looks[0].text("/invitation/state") == Some("pending");
    stage
        .check("Contoso sees who asks for what, and looking changes nothing", told && looks[0].body == looks[1].body)?;
    let early = northwind.registers(&NORTHWIND_AZURE, &contoso);
    stage.refused("until Contoso answers, Northwind can't sell to it", early, 403, "no_active_relationship").await?;
    let clerk = link.accepts_as("helpdesk_agent", Some(json!("as_requested")));
    stage.refused("only a global admin of Contoso can answer", clerk, 403, "approver_not_permitted").await?;
    let more = link.accepts(Some(json!({"roles": ["global_administrator"], "duration": "P365D"})));
    stage.refused("more than was asked can't be granted", more, 422, "roles_exceed_request").await?;

    let narrowed = || link.accepts(Some(json!({"roles": GRANTED, "duration": format!("P{GRANTED_DAYS}D")})));
    let accepted = stage.act("Contoso grants one of the two, for 90 days", narrowed(), 200).await?;
    let grants = grants_of(stage, &northwind, &contoso).await?;
    let only = grants.len() == 1 && grants[0]["roles"] == json!(GRANTED) && grants[0]["state"] == "active";
    let ends = stage.clock.now().plus_days(GRANTED_DAYS).day();
    let until = grants.first().and_then(|grant| grant["ends_at"].as_str()).unwrap_or_default().replace('-', "");
    stage.check("Northwind has that role for that time, and no other", only && until.starts_with(&ends))?;
    let again = stage.send(&narrowed()).await?;
    stage.check("the same answer again gets the first one, byte for byte", again.body == accepted.body)?;
    let other = link.accepts(Some(json!("as_requested")));
    stage.refused("another answer does not replace it", other, 409, "invalid_transition").await?;
    let partners = stage.read(contoso.get("/partners")).await?;
    let active = items(&partners.json).iter().filter(|row| row["state"] == "active").count();
    stage.check("Contoso works with two partners now", active == 2)
}

pub async fn same_service(stage: &mut Stage) -> Result<(), Stop> {
    let contoso = stage.cast.contoso.clone();
    let (fabrikam, northwind) = (stage.cast.fabrikam.clone(), stage.cast.northwind.clone());
    sell(stage, &fabrikam, &FABRIKAM_AZURE, &contoso).await?;
    sell(stage, &northwind, &NORTHWIND_AZURE, &contoso).await?;
    let owned = stage.read(contoso.get("/subscriptions")).await?;
    let of = |partner: &Partner| {
        items(&owned.json)
            .iter()
            .filter(|row| row["service"] == "azure" && row["partner_of_record"] == partner.id)
            .count()
    };
    stage.check("Contoso has an Azure subscription of each", of(&fabrikam) == 1 && of(&northwind) == 1)?;
    let again = stage.send(&northwind.registers(&NORTHWIND_AZURE, &contoso)).await?;
    stage.check("registering it again gets the first record and adds none", again.status == 200 && again.replayed)
}

pub async fn webhooks(stage: &mut Stage) -> Result<(), Stop> {
    let contoso = stage.cast.contoso.clone();
    let (fabrikam, northwind) = (stage.cast.fabrikam.clone(), stage.cast.northwind.clone());
    let backup = Offer { id: "NORTHWIND-BACKUP", service: "azure", quantity: 3 };
    let now = stage.clock.now();
    let signed = |partner: &Partner, offer: &Offer, at| {
        partner.webhook("/subscriptions", "msg_1", at, "subscription.register", offer.body(&contoso))
    };
    let message = signed(&northwind, &backup, now);
    let first = stage.act("it registers a subscription", message.clone(), 201).await?;
    let again = stage.send(&message).await?;
    let same = again.status == 200 && again.replayed && again.body == first.body;
    stage.check("a replayed message gets the first answer, byte for byte, and registers nothing", same)?;

    let mut tampered = message.clone();
    tampered.body = String::from_utf8_lossy(&tampered.body).replace("\"quantity\":3", "\"quantity\":9").into_bytes();
    stage.refused("a message with one changed byte is refused", tampered, 401, "signature_invalid").await?;
    let mut foreign = signed(&fabrikam, &backup, now);
    foreign.path.clone_from(&message.path);
    stage.refused("and one that Fabrikam signed", foreign, 401, "signature_invalid").await?;
    let old = signed(&northwind, &backup, now.plus_millis(-360_000));
    stage.refused("and one of six minutes ago", old, 401, "timestamp_out_of_tolerance").await?;
    let other = signed(&northwind, &Offer { quantity: 4, ..backup }, now);
    stage
        .refused("and what is registered can't be sent anew with other terms", other, 409, "subscription_exists")
        .await?;
    Ok(())
}

/// The items of a page.
pub fn items(page: &Value) -> &[Value] {
    page["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The customer's row of a partner.
pub async fn row_of(stage: &mut Stage, partner: &Partner, customer: &Customer) -> Result<Value, Stop> {
    let page = stage.read(customer.get("/partners")).await?;
    Ok(items(&page.json).iter().find(|row| row["partner_id"] == partner.id).cloned().unwrap_or_default())
}

/// The grants in it.
pub async fn grants_of(stage: &mut Stage, partner: &Partner, customer: &Customer) -> Result<Vec<Value>, Stop> {
    let row = row_of(stage, partner, customer).await?;
    Ok(row["grants"].as_array().cloned().unwrap_or_default())
}
