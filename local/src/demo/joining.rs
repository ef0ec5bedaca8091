//! How relationships begin, and what partners sell.

use std::time::Duration;

use platform::clock::Clock;
use serde_json::{Value, json};

use super::error::Stop;
use super::link::Link;
use super::pages::{grants_of, items};
use super::parties::{Customer, Offer, Partner};
use super::scenario::Scenario;
use super::signing_in;

const OFFICE: Offer = Offer { id: "FABRIKAM-OFFICE-365", service: "office_365", quantity: 25 };
pub const FABRIKAM_AZURE: Offer = Offer { id: "FABRIKAM-AZURE", service: "azure", quantity: 1 };
pub const NORTHWIND_AZURE: Offer = Offer { id: "NORTHWIND-AZURE", service: "azure", quantity: 1 };

/// Begins a relationship without delegated administration.
pub async fn join(scenario: &mut Scenario, partner: &Partner, customer: &Customer) -> Result<(), Stop> {
    let text = format!("{} invites {}, which accepts with the link", partner.name, customer.name);
    let key = format!("join-{}-{}", customer.tenant_id, scenario.clock.day());
    let invited = scenario.step(&text, partner.invites(customer.tenant_id, Value::Null, &key), 201).await?;
    let link = Link::from_answer(&invited)?;
    let accepted = scenario.send(&link.accepts(None)).await?;
    let active = accepted.text("/relationship/state") == Some("active");
    scenario.check(&format!("{} and {} have a relationship", partner.name, customer.name), active)
}

/// Begins a relationship again that has ended. Only the customer's key can do that.
pub async fn join_again(scenario: &mut Scenario, partner: &Partner, customer: &Customer) -> Result<(), Stop> {
    let text = format!("{} invites {} again", partner.name, customer.name);
    let key = format!("join-again-{}-{}", customer.tenant_id, scenario.clock.day());
    let invited = scenario.step(&text, partner.invites(customer.tenant_id, Value::Null, &key), 201).await?;
    let link = Link::from_answer(&invited)?;
    let text = "the link is not enough to start again what has ended";
    scenario.rejected(text, link.accepts(None), 403, "accept_proof_required").await?;
    let text = format!("{} accepts with its key", customer.name);
    let accepted = scenario.step(&text, customer.accepts(&link.invitation_id, None), 200).await?;
    let active = accepted.text("/relationship/state") == Some("active");
    scenario.check(&format!("{} and {} have a relationship again", partner.name, customer.name), active)
}

/// Registers a subscription.
pub async fn sell(scenario: &mut Scenario, partner: &Partner, offer: &Offer, customer: &Customer) -> Result<(), Stop> {
    let text = format!("{} registers {}", partner.name, offer.id);
    let registered = scenario.step(&text, partner.registers(offer, customer), 201).await?;
    let of_record = registered.text("/subscription/partner_of_record") == Some(&partner.id);
    scenario.check(&format!("{} is its partner of record", partner.name), of_record)
}

pub async fn first_partner(scenario: &mut Scenario) -> Result<(), Stop> {
    let (contoso, fabrikam) = (scenario.parties.contoso.clone(), scenario.parties.fabrikam.clone());
    join(scenario, &fabrikam, &contoso).await?;
    sell(scenario, &fabrikam, &OFFICE, &contoso).await
}

/// The roles that Northwind asks for, and those that it gets.
const ASKED: [&str; 2] = ["helpdesk_administrator", "license_administrator"];
const GRANTED: [&str; 1] = ["helpdesk_administrator"];
pub const GRANTED_DAYS: u32 = 90;

pub async fn second_partner(scenario: &mut Scenario) -> Result<(), Stop> {
    let (contoso, northwind) = (scenario.parties.contoso.clone(), scenario.parties.northwind.clone());
    let asked = json!({"roles": ASKED, "duration": "P365D"});
    let text = "Northwind invites Contoso and asks for two roles for a year";
    let invited = scenario.step(text, northwind.invites(contoso.tenant_id, asked, "second-partner"), 201).await?;
    let link = Link::from_answer(&invited)?;

    let previews = [scenario.read(link.preview()).await?, scenario.read(link.preview()).await?];
    let complete = previews[0].text("/partner/name") == Some("Northwind")
        && previews[0].json().pointer("/invitation/delegated_admin/roles") == Some(&json!(ASKED))
        && previews[0].text("/invitation/state") == Some("pending");
    scenario.check(
        "Contoso sees who asks for what, and a preview changes nothing",
        complete && previews[0].json().get("invitation") == previews[1].json().get("invitation"),
    )?;
    let early = northwind.registers(&NORTHWIND_AZURE, &contoso);
    scenario
        .rejected(
            "until Contoso accepts, Northwind cannot register subscriptions",
            early,
            403,
            "no_active_relationship",
        )
        .await?;
    let clerk = link.accepts_as("helpdesk_agent", Some(json!("as_requested")));
    scenario.rejected("only a global admin of Contoso can accept", clerk, 403, "approver_not_permitted").await?;
    let more = link.accepts(Some(json!({"roles": ["global_administrator"], "duration": "P365D"})));
    scenario.rejected("Contoso cannot grant more than Northwind asked for", more, 422, "roles_exceed_request").await?;

    let decision = json!({"roles": GRANTED, "duration": format!("P{GRANTED_DAYS}D")});
    let by_link = link.accepts(Some(decision.clone()));
    scenario.rejected("the link is not enough to grant roles", by_link, 403, "accept_proof_required").await?;
    let browser = signing_in::as_administrator(scenario, &contoso, &link.invitation_id).await?;
    let narrowed = || browser.sends(contoso.accepts(&link.invitation_id, Some(decision.clone())));
    let accepted = scenario.step("the administrator grants one of the two, for 90 days", narrowed(), 200).await?;
    let events = scenario.read(contoso.get(&format!("/events?subject={}", link.invitation_id))).await?;
    let signed_in = items(events.json()).first().is_some_and(|event| event["actor"]["proof"] == "sign_in");
    scenario.check("the event says that the person signed in", signed_in)?;
    let grants = grants_of(scenario, &northwind, &contoso).await?;
    let only = grants.len() == 1 && grants[0]["roles"] == json!(GRANTED) && grants[0]["state"] == "active";
    let ends = scenario.clock.now().plus_days(GRANTED_DAYS).day();
    let until = grants.first().and_then(|grant| grant["ends_at"].as_str()).unwrap_or_default().replace('-', "");
    scenario.check("Northwind has only that role, for that time", only && until.starts_with(&ends))?;
    let again = scenario.send(&narrowed()).await?;
    scenario
        .check("the same acceptance again returns the first response, byte for byte", again.body == accepted.body)?;
    let other = contoso.accepts(&link.invitation_id, Some(json!("as_requested")));
    scenario.rejected("a different acceptance is rejected", other, 409, "invalid_transition").await?;
    let partners = scenario.read(contoso.get("/partners")).await?;
    let active = items(partners.json()).iter().filter(|row| row["state"] == "active").count();
    scenario.check("Contoso has two active partners", active == 2)
}

pub async fn same_service(scenario: &mut Scenario) -> Result<(), Stop> {
    let contoso = scenario.parties.contoso.clone();
    let (fabrikam, northwind) = (scenario.parties.fabrikam.clone(), scenario.parties.northwind.clone());
    sell(scenario, &fabrikam, &FABRIKAM_AZURE, &contoso).await?;
    sell(scenario, &northwind, &NORTHWIND_AZURE, &contoso).await?;
    let owned = scenario.read(contoso.get("/subscriptions")).await?;
    let of = |partner: &Partner| {
        items(owned.json())
            .iter()
            .filter(|row| row["service"] == "azure" && row["partner_of_record"] == partner.id)
            .count()
    };
    scenario.check("Contoso has an Azure subscription from each partner", of(&fabrikam) == 1 && of(&northwind) == 1)?;
    let again = scenario.send(&northwind.registers(&NORTHWIND_AZURE, &contoso)).await?;
    scenario.check("registering it again returns the existing record", again.status == 200 && again.replayed())
}

pub async fn webhooks(scenario: &mut Scenario) -> Result<(), Stop> {
    let contoso = scenario.parties.contoso.clone();
    let (fabrikam, northwind) = (scenario.parties.fabrikam.clone(), scenario.parties.northwind.clone());
    let backup = Offer { id: "NORTHWIND-BACKUP", service: "azure", quantity: 3 };
    let now = scenario.clock.now();
    let signed = |partner: &Partner, offer: &Offer, at| {
        partner.webhook("/subscriptions", "msg_1", at, "subscription.register", offer.body(&contoso))
    };
    let message = signed(&northwind, &backup, now);
    let first = scenario.step("Northwind's system registers a subscription", message.clone(), 201).await?;
    let again = scenario.send(&message).await?;
    let same = again.status == 200 && again.replayed() && again.body == first.body;
    scenario.check("a replayed message returns the first response, byte for byte, and registers nothing", same)?;

    let body = String::from_utf8_lossy(message.body.as_deref().unwrap_or_default()).into_owned();
    let tampered = message.clone().bytes(body.replace("\"quantity\":3", "\"quantity\":9"));
    scenario.rejected("a message with one changed byte is rejected", tampered, 401, "signature_invalid").await?;
    let mut foreign = signed(&fabrikam, &backup, now);
    foreign.path.clone_from(&message.path);
    scenario.rejected("a message that Fabrikam signed is rejected", foreign, 401, "signature_invalid").await?;
    let old = signed(&northwind, &backup, now - Duration::from_secs(360));
    scenario.rejected("a message that is six minutes old is rejected", old, 401, "timestamp_out_of_tolerance").await?;
    let other = signed(&northwind, &Offer { quantity: 4, ..backup }, now);
    scenario
        .rejected(
            "a registered subscription cannot be registered again with other details",
            other,
            409,
            "subscription_exists",
        )
        .await?;
    Ok(())
}
