use std::sync::OnceLock;

use domain::{EventType, Invitation, InvitationId, InvitationState};
use platform::handler::views::{InvitationLinkView, InvitationView, Viewer};
use platform::handler::{Context, OptionalJson, PartnerKey, Path, Replayable, permission::ManageInvitation};
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::shape::Whole;
use platform::http_api::{Code, Problem};
use platform::store::{CustomerRequirements, Renewed, Step, retry_on_change};
use serde_json::json;

use crate::invitation::own_invitation;

/// `{expires_in_days?}`
pub(crate) struct RenewalBody {
    expires_in_days: Option<u32>,
}

impl Body for RenewalBody {
    const NAME: &'static str = "RenewalRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let most = rules.policy.limits.invitation_days_max;
        Some(Self { expires_in_days: reader.optional("expires_in_days", Whole { least: 1, most }) })
    }
}

type RenewedAnswer = Replayable<InvitationLinkView>;

/// A concurrent renewal returns the current link.
pub(crate) async fn renew(
    context: Context,
    caller: PartnerKey<ManageInvitation>,
    (OptionalJson(body), Path(id)): (OptionalJson<RenewalBody>, Path<InvitationId>),
) -> Result<RenewedAnswer, Problem> {
    context.cloud_rules(caller.acting.partner.cloud)?;
    let first_generation = OnceLock::new();
    retry_on_change(|| async {
        let before = own_invitation(&context, &caller.acting, &id).await?;
        let first = *first_generation.get_or_init(|| before.token_generation);
        try_renew(&context, &caller, &body, &before, first).await
    })
    .await
}

async fn try_renew(
    context: &Context,
    caller: &PartnerKey<ManageInvitation>,
    body: &RenewalBody,
    before: &Invitation,
    first_generation: u32,
) -> Result<Step<RenewedAnswer>, Problem> {
    let state = before.state(context.now());
    if !matches!(state, InvitationState::Pending | InvitationState::Expired) {
        return Err(Problem::answered_already(state));
    }
    if before.token_generation > first_generation {
        // Another renewal was faster. Its link is the current one.
        return Ok(Step::Done(Replayable::replayed(view(context, before)?)));
    }
    let acting = &caller.acting;
    let after = renewal(context, before, body.expires_in_days)?;
    let data = [("expires_at", json!(after.expires_at))];
    let event = before.event(EventType::InvitationRenewed, context.occurrence(&acting.actor), data);
    let requirements = CustomerRequirements::new(context.policy(), &acting.partner);
    let limit = context.policy().limits.renewals_per_pair_and_day;
    match context.app.store.renew_invitation(context.op(), before, &after, requirements, limit, &event).await? {
        Renewed::Done => Ok(Step::Done(Replayable::done(view(context, &after)?))),
        Renewed::Changed => Ok(Step::Changed),
        Renewed::Tenant(refusal) => Err(refusal.into()),
        Renewed::RelationshipActive => {
            let detail = "The relationship with this customer is already active.";
            Err(Problem::new(Code::RelationshipActive, detail))
        }
        Renewed::NotActive => {
            let detail = "The relationship for which this grant was asked is no longer active.";
            Err(Problem::new(Code::InvalidTransition, detail))
        }
        Renewed::Pending(open) => Err(Problem::invitation_pending(&open)),
        Renewed::LimitReached => Err(Problem::daily_limit(limit, "renewals", context.now())),
    }
}

/// The invitation with a new link and a new expiry. Unless the request says when it expires, it never expires earlier than
/// before.
fn renewal(context: &Context, before: &Invitation, days: Option<u32>) -> Result<Invitation, Problem> {
    let now = context.now();
    let by_default = now.plus_days(context.policy().limits.invitation_days_default);
    let expires_at = days.map_or_else(|| by_default.max(before.expires_at), |days| now.plus_days(days));
    let keys = &context.app.keys;
    let key_number = keys.current()?;
    let token_generation = before.token_generation + 1;
    let token = keys.link_token(key_number, &before.invitation_id, token_generation)?;
    Ok(Invitation {
        key_number,
        token_generation,
        token_hash: token.hash(),
        expires_at,
        expiry_announced: false,
        version: before.version + 1,
        ..before.clone()
    })
}

fn view(context: &Context, invitation: &Invitation) -> Result<InvitationLinkView, Problem> {
    let accept_url = Some(context.accept_url(invitation)?);
    Ok(InvitationLinkView { invitation: InvitationView::new(invitation, context.now(), Viewer::Partner), accept_url })
}
