//! Ending a grant. The relationship and its other grants stay as they are.

use domain::{Actor, EventType, Grant, GrantId, Invitation, PartnerStatus, Relationship};
use platform::handler::views::{GrantResponse, GrantView};
use platform::handler::{Context, CustomerKey, NoMembers, PartnerOrOperator, Path, Replayable, permission::EndGrant};
use platform::http_api::Problem;
use platform::store::{Ended, Step, retry_on_change};

use crate::own_grant::invitation_of;

type EndedAnswer = Replayable<GrantResponse>;

pub(crate) async fn by_partner(
    context: Context,
    caller: PartnerOrOperator<EndGrant>,
    (_, Path(id)): (NoMembers, Path<GrantId>),
) -> Result<EndedAnswer, Problem> {
    let acting = caller.acting;
    let is_own = |invitation: &Invitation| invitation.partner_id == acting.partner.partner_id;
    end(&context, &id, is_own, &acting.actor).await
}

pub(crate) async fn by_customer(
    context: Context,
    caller: CustomerKey,
    (_, Path(id)): (NoMembers, Path<GrantId>),
) -> Result<EndedAnswer, Problem> {
    let is_own = |invitation: &Invitation| invitation.customer == caller.customer;
    end(&context, &id, is_own, &caller.actor).await
}

/// A grant that is already over is returned as it is.
async fn end(
    context: &Context,
    id: &GrantId,
    is_own: impl Fn(&Invitation) -> bool,
    actor: &Actor,
) -> Result<EndedAnswer, Problem> {
    let invitation = invitation_of(context, id, is_own).await?;
    retry_on_change(|| try_end(context, id, &invitation, actor)).await
}

async fn try_end(
    context: &Context,
    id: &GrantId,
    invitation: &Invitation,
    actor: &Actor,
) -> Result<Step<EndedAnswer>, Problem> {
    let (now, store) = (context.now(), &context.app.store);
    let grant = store.grant(context.op(), &invitation.customer, &invitation.partner_id, id).await?;
    let grant = grant.ok_or_else(Problem::not_found)?;
    if grant.ended_at.is_some() || grant.ends_at(now) <= now {
        return Ok(Step::Done(already_over(context, &relationship_of(context, &grant).await?, &grant)));
    }
    let event = grant.event(EventType::GrantEnded, context.occurrence(actor), []);
    if store.end_grant(context.op(), &grant, &event).await? == Ended::Done {
        let ended = Grant { ended_at: Some(now), ..grant };
        let grant = GrantView::new(&ended, now, None, PartnerStatus::Active);
        return Ok(Step::Done(Replayable::done(GrantResponse { grant })));
    }
    // Either the grant changed, or its relationship is over. The second is visible here.
    let relationship = relationship_of(context, &grant).await?;
    if relationship.active_period() != Some(&grant.period) {
        return Ok(Step::Done(already_over(context, &relationship, &grant)));
    }
    Ok(Step::Changed)
}

async fn relationship_of(context: &Context, grant: &Grant) -> Result<Relationship, Problem> {
    let relationship = context.app.store.relationship(context.op(), &grant.customer, &grant.partner_id).await?;
    relationship.ok_or_else(|| Problem::internal("a grant's relationship is missing"))
}

fn already_over(context: &Context, relationship: &Relationship, grant: &Grant) -> EndedAnswer {
    let grant = GrantView::in_relationship(relationship, grant, context.now(), PartnerStatus::Active);
    Replayable::replayed(GrantResponse { grant })
}
