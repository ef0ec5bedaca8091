//! The event log.

use local::api::Call;
use local::verify;
use serde_json::Value;

use super::error::Stop;
use super::pages::items;
use super::scenario::Scenario;

pub async fn events(scenario: &mut Scenario) -> Result<(), Stop> {
    // The feed withholds the newest events for some seconds, so that it never skips one.
    scenario.clock.advance_millis(15_000);
    let operator = scenario.local().operator_key().expose_secret().to_owned();
    let all = feed(scenario, "/v1/events", &operator).await?;
    let changes = scenario.tally.changes;
    let text = format!("every change has exactly one event ({changes} changes, {} events)", all.len());
    scenario.check(&text, all.len() == changes)?;
    let complete = |event: &Value| {
        event["occurred_at"].is_string() && event["actor"]["kind"].is_string() && event["policy_version"].is_number()
    };
    scenario.check("each event says when, who, and under which policy", all.iter().all(complete))?;

    let contoso = scenario.parties.contoso.clone();
    let of_contoso = feed(scenario, &format!("/v1/customers/{}/events", contoso.tenant_id), &contoso.key).await?;
    let own = of_contoso.iter().all(|event| event["subject"]["customer_tenant_id"] == contoso.tenant_id);
    let partners = [&scenario.parties.fabrikam, &scenario.parties.northwind, &scenario.parties.wingtip_sales]
        .map(|one| one.id.clone());
    let whole = partners.iter().all(|id| of_contoso.iter().any(|event| event["subject"]["partner_id"] == *id));
    scenario.check("Contoso reads all of its own events and no others", own && whole)?;
    let fabrikam = scenario.parties.fabrikam.clone();
    let of_fabrikam = feed(scenario, &format!("/v1/partners/{}/events", fabrikam.id), &fabrikam.key).await?;
    let own = of_fabrikam.iter().all(|event| event["subject"]["partner_id"] == fabrikam.id);
    scenario.check("Fabrikam reads no events of Northwind", own && !of_fabrikam.is_empty())?;

    let audited = verify::audit(scenario.local().client(), scenario.local().table()).await?;
    let text = format!("all {} records are in the state in which their events left them", audited.heads.len());
    scenario.check(&text, audited.events == all.len())
}

/// All events of a feed, oldest first.
async fn feed(scenario: &mut Scenario, path: &str, key: &str) -> Result<Vec<Value>, Stop> {
    let mut events = Vec::new();
    let mut after = String::new();
    loop {
        let page = scenario.read(Call::get(format!("{path}?limit=100&after={after}")).key(key)).await?;
        let next = page.text("/next_cursor").unwrap_or_default().to_owned();
        events.extend_from_slice(items(page.json()));
        if next == after || items(page.json()).is_empty() {
            return Ok(events);
        }
        after = next;
    }
}
