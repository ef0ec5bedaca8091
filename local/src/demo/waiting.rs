//! No, too late, and once more.

use domain::Timestamp;
use serde_json::Value;

use super::joining::items;
use super::stage::{Stage, Stop, text};

pub async fn no_and_late(stage: &mut Stage) -> Result<(), Stop> {
    declined(stage).await?;
    let (contoso, wingtip) = (stage.cast.contoso.clone(), stage.cast.wingtip_sales.clone());
    let words = "Wingtip asks again; the link is good for 30 days, and nobody answers";
    let invited = stage.act(words, wingtip.invites(contoso.tenant_id, Value::Null, "wingtip-2"), 201).await?;
    let link = stage.link(&invited)?;
    let expires_at = Timestamp::parse(&text(&invited, "/invitation/expires_at")?);
    let expires_at = expires_at.ok_or_else(|| Stop::Step("an invitation without an end came".into()))?;
    stage.days(29).await?;
    stage.clock.set(expires_at.plus_millis(-2_000));
    let before = stage.read(link.preview()).await?;
    stage.check("a second before its end the link is good", before.text("/invitation/state") == Some("pending"))?;
    stage.refused("at its end it is not", link.accepts(None), 410, "invitation_expired").await?;
    let after = stage.read(link.preview()).await?;
    stage.check("and still says what it was", after.text("/invitation/state") == Some("expired"))?;
    let announced = [stage.announce().await?, stage.announce().await?];
    let events = stage.read(wingtip.get(&format!("/events?subject={}", link.invitation_id))).await?;
    let told = items(&events.json).iter().filter(|event| event["type"] == "invitation.expired").count();
    stage.check("Wingtip hears of it once, however often the job runs", announced == [1, 0] && told == 1)?;

    let renewed = stage.act("Wingtip renews it", wingtip.renews(&link.invitation_id), 200).await?;
    let new_link = stage.link(&renewed)?;
    stage.refused("the old link is dead at once", link.accepts(None), 404, "not_found").await?;
    let accepted = stage.act("Contoso accepts by the new one", new_link.accepts(None), 200).await?;
    let active = accepted.text("/relationship/state") == Some("active");
    stage.check("Wingtip is Contoso's third partner", active)
}

async fn declined(stage: &mut Stage) -> Result<(), Stop> {
    let (contoso, wingtip) = (stage.cast.contoso.clone(), stage.cast.wingtip_sales.clone());
    let invite = |name: &str| wingtip.invites(contoso.tenant_id, Value::Null, name);
    let invited = stage.act("Wingtip invites Contoso", invite("wingtip-1"), 201).await?;
    let link = stage.link(&invited)?;
    let pending = "while it is open there is no second one";
    stage.refused(pending, invite("wingtip-other"), 409, "invitation_pending").await?;
    let no = || link.declines("Two partners are enough for us.");
    let declined = stage.act("Contoso declines: two partners are enough", no(), 200).await?;
    let again = stage.send(&no()).await?;
    stage.check("the same no again gets the first answer, byte for byte", again.body == declined.body)?;
    stage.refused("and can't become a yes", link.accepts(None), 409, "invalid_transition").await?;
    let mine = stage.read(wingtip.get(&format!("/invitations/{}", link.invitation_id))).await?;
    let reason = mine.text("/invitation/answer/reason");
    stage.check("Wingtip can read why", reason == Some("Two partners are enough for us."))
}
