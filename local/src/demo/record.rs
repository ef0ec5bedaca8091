//! What can be read afterwards.

use local::api::Call;
use local::verify;
use serde_json::Value;

use super::joining::items;
use super::stage::{Stage, Stop};

pub async fn events(stage: &mut Stage) -> Result<(), Stop> {
    // The feed holds back the youngest, so that it never skips one.
    stage.clock.advance_millis(15_000);
    let operator = stage.local().operator_key().expose_secret().to_owned();
    let all = feed(stage, "/v1/events", &operator).await?;
    let changes = stage.tally.changes;
    let words = format!("every change is on record exactly once ({changes} changes, {} events)", all.len());
    stage.check(&words, all.len() == changes)?;
    let told = |event: &Value| {
        event["occurred_at"].is_string() && event["actor"]["kind"].is_string() && event["policy_version"].is_number()
    };
    stage.check("each says when, who, and under which policy", all.iter().all(told))?;

    let contoso = stage.cast.contoso.clone();
    let of_contoso = feed(stage, &format!("/v1/customers/{}/events", contoso.tenant_id), &contoso.key).await?;
    let own = of_contoso.iter().all(|event| event["subject"]["customer_tenant_id"] == contoso.tenant_id);
    let partners = [&stage.cast.fabrikam, &stage.cast.northwind, &stage.cast.wingtip_sales].map(|one| one.id.clone());
    let whole = partners.iter().all(|id| of_contoso.iter().any(|event| event["subject"]["partner_id"] == *id));
    stage.check("Contoso reads its whole story, and nobody else's", own && whole)?;
    let fabrikam = stage.cast.fabrikam.clone();
    let of_fabrikam = feed(stage, &format!("/v1/partners/{}/events", fabrikam.id), &fabrikam.key).await?;
    let own = of_fabrikam.iter().all(|event| event["subject"]["partner_id"] == fabrikam.id);
    stage.check("Fabrikam reads nothing of Northwind", own && !of_fabrikam.is_empty())?;

    let audited = verify::audit(stage.local().client(), stage.local().table()).await?;
    let words = format!("the hash chains of all {} records hold", audited.aggregates);
    stage.check(&words, audited.events == all.len())
}

/// A feed from its beginning, oldest first.
async fn feed(stage: &mut Stage, path: &str, key: &str) -> Result<Vec<Value>, Stop> {
    let mut events = Vec::new();
    let mut after = String::new();
    loop {
        let page = stage.read(Call::get(format!("{path}?limit=100&after={after}")).key(key)).await?;
        let next = page.text("/next_cursor").unwrap_or_default().to_owned();
        events.extend_from_slice(items(&page.json));
        if next == after || items(&page.json).is_empty() {
            return Ok(events);
        }
        after = next;
    }
}
