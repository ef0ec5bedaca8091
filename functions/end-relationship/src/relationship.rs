//! Ending a relationship: its grants end with it, because they belong to its period.

use domain::{
    Actor, Event, EventType, Grant, GrantId, GrantState, InvitationId, Occurrence, PartnerId, PartnerStatus,
    Relationship, RelationshipState, TenantId,
};
use platform::handler::views::RelationshipResponse;
use platform::handler::{
    Context, CustomerKey, NoMembers, PartnerOrOperator, Path, Replayable, permission::EndRelationship,
};
use platform::http_api::Problem;
use platform::store::{Ended, Step, retry_on_change};
use serde_json::json;

/// The most grants that the event names, so that it stays small enough to be sent.
const MOST_NAMED: usize = 100;

type EndedAnswer = Replayable<RelationshipResponse>;

pub(crate) async fn by_partner(
    context: Context,
    caller: PartnerOrOperator<EndRelationship>,
    (_, Path(customer)): (NoMembers, Path<TenantId>),
) -> Result<EndedAnswer, Problem> {
    let acting = caller.acting;
    end(&context, &customer, &acting.partner.partner_id, &acting.actor).await
}

pub(crate) async fn by_customer(
    context: Context,
    caller: CustomerKey,
    (_, Path(partner)): (NoMembers, Path<PartnerId>),
) -> Result<EndedAnswer, Problem> {
    end(&context, &caller.customer, &partner, &caller.actor).await
}

async fn end(
    context: &Context,
    customer: &TenantId,
    partner: &PartnerId,
    actor: &Actor,
) -> Result<EndedAnswer, Problem> {
    retry_on_change(|| try_end(context, customer, partner, actor)).await
}

async fn try_end(
    context: &Context,
    customer: &TenantId,
    partner: &PartnerId,
    actor: &Actor,
) -> Result<Step<EndedAnswer>, Problem> {
    let (now, store) = (context.now(), &context.app.store);
    let found = store.relationship_with_grants(context.op(), customer, partner).await?;
    let (relationship, grants) = found.ok_or_else(Problem::not_found)?;
    match relationship.state {
        RelationshipState::Active => {}
        RelationshipState::Ended => {
            return Ok(Step::Done(Replayable::replayed(RelationshipResponse::new(&relationship))));
        }
        RelationshipState::None => return Err(Problem::not_found()),
    }
    let is_active = |grant: &&Grant| {
        let end = relationship.period_end(&grant.period);
        grant.state(now, end, PartnerStatus::Active) == GrantState::Active
    };
    let grants: Vec<_> = grants.iter().filter(is_active).map(|grant| &grant.grant_id).collect();
    let mut open = relationship.open_at(now);
    loop {
        let event = ended_event(&relationship, &grants, open, context.occurrence(actor));
        match store.end_relationship(context.op(), &relationship, open, &event).await? {
            Ended::Done => break,
            // By another clock it has expired, so it stays expired.
            Ended::InvitationOver if open.is_some() => open = None,
            Ended::InvitationOver | Ended::Changed => return Ok(Step::Changed),
        }
    }
    let ended = Relationship { state: RelationshipState::Ended, ended_at: Some(now), ..relationship };
    Ok(Step::Done(Replayable::done(RelationshipResponse::new(&ended))))
}

/// `relationship.ended` with the grants that ended and the invitation that was cancelled.
fn ended_event(
    relationship: &Relationship,
    grants: &[&GrantId],
    open: Option<&InvitationId>,
    occurrence: Occurrence<'_>,
) -> Event {
    let named = &grants[..grants.len().min(MOST_NAMED)];
    let data = [("grants", json!(named)), ("grants_total", json!(grants.len()))];
    let mut event = relationship.event(EventType::RelationshipEnded, occurrence, data);
    if let Some(id) = open {
        event.data.insert("invitation_id".to_owned(), json!(id));
    }
    event
}
