//! Declined, expired and renewed invitations.

use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};

use super::error::{FailedStep, Stop};
use super::link::Link;
use super::pages::items;
use super::scenario::Scenario;

pub async fn decline_and_expire(scenario: &mut Scenario) -> Result<(), Stop> {
    declined(scenario).await?;
    let (contoso, wingtip) = (scenario.parties.contoso.clone(), scenario.parties.wingtip_sales.clone());
    let text = "Wingtip invites Contoso again; the link is valid for 30 days, and Contoso does not answer";
    let invited = scenario.step(text, wingtip.invites(contoso.tenant_id, Value::Null, "wingtip-2"), 201).await?;
    let link = Link::from_answer(&invited)?;
    let expires_at = Timestamp::parse(&FailedStep::text(&invited, "/invitation/expires_at")?);
    let expires_at = expires_at.ok_or_else(|| FailedStep::Missing("/invitation/expires_at".to_owned()))?;
    scenario.pass_days(29).await?;
    scenario.clock.set(expires_at - Duration::from_secs(2));
    let before = scenario.read(link.preview()).await?;
    scenario.check(
        "one second before the end the invitation is pending",
        before.text("/invitation/state") == Some("pending"),
    )?;
    scenario.rejected("at the end it cannot be accepted", link.accepts(None), 410, "invitation_expired").await?;
    let after = scenario.read(link.preview()).await?;
    scenario.check("the preview shows it as expired", after.text("/invitation/state") == Some("expired"))?;
    let announced = [scenario.announce().await?, scenario.announce().await?];
    let events = scenario.read(wingtip.get(&format!("/events?subject={}", link.invitation_id))).await?;
    let count = items(events.json()).iter().filter(|event| event["type"] == "invitation.expired").count();
    scenario.check("Wingtip gets one event, although the job runs twice", announced == [1, 0] && count == 1)?;

    let amended =
        json!({"delegated_admin": {"roles": ["directory_readers"], "duration": "P30D"}, "message": "And a role"});
    let renew = wingtip.renews(&link.invitation_id).json(&amended);
    let renewed = scenario.step("Wingtip renews it, and now it also asks for a role", renew, 200).await?;
    let new_link = Link::from_answer(&renewed)?;
    let text = "the old link stops working at once, and what it showed can't be accepted";
    scenario.rejected(text, link.accepts(None), 404, "not_found").await?;
    let shown = scenario.read(new_link.preview()).await?;
    let amended = shown.json().pointer("/invitation/delegated_admin/roles") == Some(&json!(["directory_readers"]));
    scenario
        .check("the new link shows what is asked for now", amended && shown.text("/invitation/message").is_some())?;
    let accept = new_link.accepts(Some(json!("refused")));
    let accepted = scenario.step("Contoso accepts with the new link, without the role", accept, 200).await?;
    let active = accepted.text("/relationship/state") == Some("active");
    scenario.check("Wingtip is Contoso's third partner", active)
}

async fn declined(scenario: &mut Scenario) -> Result<(), Stop> {
    let (contoso, wingtip) = (scenario.parties.contoso.clone(), scenario.parties.wingtip_sales.clone());
    let invite = |name: &str| wingtip.invites(contoso.tenant_id, Value::Null, name);
    let invited = scenario.step("Wingtip invites Contoso", invite("wingtip-1"), 201).await?;
    let link = Link::from_answer(&invited)?;
    let pending = "while it is pending, a second invitation is rejected";
    scenario.rejected(pending, invite("wingtip-other"), 409, "invitation_pending").await?;
    let decline = || link.declines("Two partners are enough for us.");
    let declined = scenario.step("Contoso declines: two partners are enough", decline(), 200).await?;
    let again = scenario.send(&decline()).await?;
    scenario.check("declining again returns the first response, byte for byte", again.body == declined.body)?;
    scenario
        .rejected("a declined invitation cannot be accepted", link.accepts(None), 409, "invalid_transition")
        .await?;
    let mine = scenario.read(wingtip.get(&format!("/invitations/{}", link.invitation_id))).await?;
    let reason = mine.text("/invitation/answer/reason");
    scenario.check("Wingtip can read the reason", reason == Some("Two partners are enough for us."))
}
