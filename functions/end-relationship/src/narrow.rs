//! Narrowing a grant. What one side took away only a new invitation can give again.

use domain::{Actor, EventType, Grant, GrantId, GrantState, Invitation, Narrowing, NotNarrower};
use platform::handler::views::{GrantResponse, GrantView};
use platform::handler::{Context, CustomerKey, Json, PartnerOrOperator, Path, Replayable, permission::EndGrant};
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::delegated_admin::directory_roles;
use platform::http_api::shape::{self, Flag};
use platform::http_api::{Code, Problem};
use platform::store::{Ended, Step, retry_on_change};
use serde_json::json;

use crate::own_grant::invitation_of;

/// `{roles?, ends_at?, auto_extend?}`
pub(crate) struct NarrowingBody(Narrowing);

impl Body for NarrowingBody {
    const NAME: &'static str = "NarrowingRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let roles = reader.optional("roles", directory_roles(rules.policy));
        let ends_at = reader.optional("ends_at", shape::time());
        let auto_extend = reader.optional("auto_extend", Flag);
        Some(Self(Narrowing { roles, ends_at, auto_extend }))
    }
}

type NarrowedAnswer = Replayable<GrantResponse>;

pub(crate) async fn by_partner(
    context: Context,
    caller: PartnerOrOperator<EndGrant>,
    (Json(body), Path(id)): (Json<NarrowingBody>, Path<GrantId>),
) -> Result<NarrowedAnswer, Problem> {
    let acting = caller.acting;
    let is_own = |invitation: &Invitation| invitation.partner_id == acting.partner.partner_id;
    narrow(&context, &id, is_own, &acting.actor, &body.0).await
}

pub(crate) async fn by_customer(
    context: Context,
    caller: CustomerKey,
    (Json(body), Path(id)): (Json<NarrowingBody>, Path<GrantId>),
) -> Result<NarrowedAnswer, Problem> {
    let is_own = |invitation: &Invitation| invitation.customer == caller.customer;
    narrow(&context, &id, is_own, &caller.actor, &body.0).await
}

async fn narrow(
    context: &Context,
    id: &GrantId,
    is_own: impl Fn(&Invitation) -> bool,
    actor: &Actor,
    by: &Narrowing,
) -> Result<NarrowedAnswer, Problem> {
    let invitation = invitation_of(context, id, is_own).await?;
    retry_on_change(|| try_narrow(context, id, &invitation, actor, by)).await
}

async fn try_narrow(
    context: &Context,
    id: &GrantId,
    invitation: &Invitation,
    actor: &Actor,
    by: &Narrowing,
) -> Result<Step<NarrowedAnswer>, Problem> {
    let (now, store) = (context.now(), &context.app.store);
    let found = store.grant_in_relationship(context.op(), &invitation.customer, &invitation.partner_id, id).await?;
    let (grant, relationship, status) = found.ok_or_else(Problem::not_found)?;
    let period_end = relationship.period_end(&grant.period);
    if !matches!(grant.state(now, period_end, status), GrantState::Active | GrantState::Suspended) {
        let detail = "The grant has ended or expired. Only an active grant can be narrowed.";
        return Err(Problem::new(Code::InvalidTransition, detail));
    }
    let view = |grant: &Grant| GrantResponse { grant: GrantView::new(grant, now, None, status) };
    let Some(after) = grant.narrowed(by, now).map_err(not_narrower)? else {
        return Ok(Step::Done(Replayable::replayed(view(&grant))));
    };
    let data = [
        ("roles", json!(after.admin.roles)),
        ("ends_at", json!(after.ends_at(now))),
        ("auto_extend", json!(after.admin.auto_extend)),
    ];
    let event = grant.event(EventType::GrantNarrowed, context.occurrence(actor), data);
    Ok(match store.narrow_grant(context.op(), &grant, &after, &event).await? {
        Ended::Done => Step::Done(Replayable::done(view(&after))),
        Ended::Changed | Ended::InvitationOver => Step::Changed,
    })
}

fn not_narrower(_: NotNarrower) -> Problem {
    let detail = "A grant can only be reduced. Send some of its roles, an end in the future that is not later than \
                  `ends_at`, or `auto_extend: false`.";
    Problem::new(Code::GrantNotNarrower, detail)
}
