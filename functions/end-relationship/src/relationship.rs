//! Ending a relationship: its grants end with it, because they belong to its period.

use domain::{
    Actor, EventType, Grant, GrantState, PartnerId, PartnerStatus, Relationship, RelationshipState, TenantId,
};
use platform::handler::views::RelationshipResponse;
use platform::handler::{
    Context, CustomerKey, NoMembers, PartnerOrOperator, Path, Replayable, permission::EndRelationship,
};
use platform::http_api::Problem;
use platform::store::{Ended, Step, retry_on_change};
use serde_json::json;

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
    let ended: Vec<_> = grants.iter().filter(is_active).map(|grant| &grant.grant_id).collect();
    let event = relationship.event(EventType::RelationshipEnded, context.occurrence(actor), [("grants", json!(ended))]);
    if store.end_relationship(context.op(), &relationship, &event).await? != Ended::Done {
        return Ok(Step::Changed);
    }
    let ended = Relationship { state: RelationshipState::Ended, ended_at: Some(now), ..relationship };
    Ok(Step::Done(Replayable::done(RelationshipResponse::new(&ended))))
}
