use std::sync::OnceLock;

use domain::{DelegatedAdmin, DelegatedAdminData, EventType, Invitation, InvitationId, InvitationState, digest};
use platform::handler::views::{InvitationLinkView, InvitationView, Viewer};
use platform::handler::{
    ActingPartner, Context, OptionalJson, PartnerKey, Path, Replayable, permission::ManageInvitation,
};
use platform::http_api::body::{Body, Patch, Reader, Rules};
use platform::http_api::delegated_admin::Requested;
use platform::http_api::object::ObjectOf;
use platform::http_api::shape::{self, Whole};
use platform::http_api::{Code, Problem};
use platform::store::{CustomerRequirements, Renewed, Step, retry_on_change};
use serde_json::json;

use crate::invitation::own_invitation;

/// `{expires_in_days?, message?, delegated_admin?}`
pub(crate) struct RenewalBody {
    expires_in_days: Option<u32>,
    message: Patch<String>,
    delegated_admin: Patch<DelegatedAdmin>,
}

impl Body for RenewalBody {
    const NAME: &'static str = "RenewalRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let limits = &rules.policy.limits;
        let days = Whole { least: 1, most: limits.invitation_days_max };
        let expires_in_days = reader.optional("expires_in_days", days);
        let message = reader.patch("message", shape::paragraph(limits.message_characters));
        let delegated_admin = match reader.patch("delegated_admin", ObjectOf::<Requested>::new(rules)) {
            Patch::Keep => Patch::Keep,
            Patch::Remove => Patch::Remove,
            Patch::Set(Requested(admin)) => Patch::Set(admin),
        };
        Some(Self { expires_in_days, message, delegated_admin })
    }
}

impl RenewalBody {
    /// SHA-256 of the request in canonical form. It decides whether a concurrent renewal asks for the same.
    fn fingerprint(&self) -> [u8; 32] {
        let days = self.expires_in_days.map(|days| days.to_string()).unwrap_or_default();
        let admin = match &self.delegated_admin {
            Patch::Set(admin) => format!("{} {} {}", admin.days, admin.auto_extend, admin.roles.join(",")),
            other => word_of(other).to_owned(),
        };
        let message: [&str; 2] = match &self.message {
            Patch::Set(message) => ["set", message],
            other => [word_of(other), ""],
        };
        let parts = [days.as_bytes(), admin.as_bytes(), message[0].as_bytes(), message[1].as_bytes()];
        digest("invitation.renew", &parts)
    }
}

fn word_of<T>(patch: &Patch<T>) -> &'static str {
    match patch {
        Patch::Keep => "keep",
        Patch::Remove => "remove",
        Patch::Set(_) => "set",
    }
}

type RenewedAnswer = Replayable<InvitationLinkView>;

/// A concurrent renewal with the same content returns the current link. Otherwise each one renews again.
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
        try_renew(&context, &caller.acting, &body, &before, first).await
    })
    .await
}

async fn try_renew(
    context: &Context,
    acting: &ActingPartner,
    body: &RenewalBody,
    before: &Invitation,
    first_generation: u32,
) -> Result<Step<RenewedAnswer>, Problem> {
    let state = before.state(context.now());
    if !matches!(state, InvitationState::Pending | InvitationState::Expired) {
        return Err(Problem::answered_already(state));
    }
    if before.token_generation > first_generation && before.renewal == Some(body.fingerprint()) {
        // A renewal with the same content was faster. Its link is the current one.
        return Ok(Step::Done(Replayable::replayed(view(context, before)?)));
    }
    let cloud = context.cloud_rules(acting.partner.cloud)?;
    if body.delegated_admin == Patch::Remove && before.must_grant(cloud) {
        let detail =
            "This invitation must ask for delegated administration. Name roles, or leave `delegated_admin` out.";
        return Err(Problem::new(Code::DelegatedAdminRequired, detail));
    }
    let after = renewal(context, before, body)?;
    let asked = after.delegated_admin.as_ref().map(DelegatedAdminData::from);
    let data = [("delegated_admin", json!(asked)), ("expires_at", json!(after.expires_at))];
    let event = before.event(EventType::InvitationRenewed, context.occurrence(&acting.actor), data);
    let requirements = CustomerRequirements::new(context.policy(), &acting.partner);
    let limit = context.policy().limits.renewals_per_pair_and_day;
    match context.app.store.renew_invitation(context.op(), before, &after, requirements, limit, &event).await? {
        Renewed::Done => Ok(Step::Done(Replayable::done(view(context, &after)?))),
        Renewed::Changed => Ok(Step::Changed),
        Renewed::Tenant(refusal) => match acting.corrected_since(context, &refusal).await? {
            Some(acting) => Box::pin(try_renew(context, &acting, body, before, first_generation)).await,
            None => Err(refusal.into()),
        },
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

/// The invitation with a new link and a new expiry, and with what the request changes. Unless the request says when it expires,
/// it never expires earlier than before.
fn renewal(context: &Context, before: &Invitation, body: &RenewalBody) -> Result<Invitation, Problem> {
    let now = context.now();
    let by_default = now.plus_days(context.policy().limits.invitation_days_default);
    let expires_at = body.expires_in_days.map_or_else(|| by_default.max(before.expires_at), |days| now.plus_days(days));
    let keys = &context.app.keys;
    let key_number = keys.current()?;
    let token_generation = before.token_generation + 1;
    let token = keys.link_token(key_number, &before.invitation_id, token_generation)?;
    Ok(Invitation {
        key_number,
        token_generation,
        token_hash: token.hash(),
        expires_at,
        message: body.message.applied_to(before.message.as_ref()),
        delegated_admin: body.delegated_admin.applied_to(before.delegated_admin.as_ref()),
        renewal: Some(body.fingerprint()),
        expiry_announced: false,
        version: before.version + 1,
        ..before.clone()
    })
}

fn view(context: &Context, invitation: &Invitation) -> Result<InvitationLinkView, Problem> {
    let accept_url = Some(context.accept_url(invitation)?);
    Ok(InvitationLinkView { invitation: InvitationView::new(invitation, context.now(), Viewer::Partner), accept_url })
}
