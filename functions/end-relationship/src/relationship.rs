//! Ending a relationship: its grants end with it, by its period.

use domain::{
    Actor, EventType, Grant, GrantState, PartnerId, PartnerStatus, Relationship, RelationshipState, TenantId,
};
use platform::handler::App;
use platform::handler::views::RelationshipView;
use platform::http_api::{Problem, Request, Response};
use platform::store::{Ended, StoreError, TRIES};
use serde_json::json;

/// Ends it → `{relationship}`. A repeat answers with it as it is.
pub(crate) async fn end(
    app: &App,
    request: &Request,
    customer: &TenantId,
    partner: &PartnerId,
    actor: &Actor,
) -> Result<Response, Problem> {
    for _ in 0..TRIES {
        let found = app.store.relationship_with_grants(request.op(), customer, partner).await?;
        let (relationship, grants) = found.ok_or_else(Problem::not_found)?;
        match relationship.state {
            RelationshipState::Active => {}
            RelationshipState::Ended => return Ok(answer(&relationship)?.replayed(true)),
            RelationshipState::None => return Err(Problem::not_found()),
        }
        let ends = |grant: &&Grant| {
            let end = relationship.period_end(&grant.period);
            grant.state(request.now, end, PartnerStatus::Active) == GrantState::Active
        };
        let ended: Vec<_> = grants.iter().filter(ends).map(|grant| &grant.grant_id).collect();
        let data = [("grants", json!(ended))];
        let event = relationship.event(EventType::RelationshipEnded, app.occurrence(request, actor), data);
        if app.store.end_relationship(request.op(), &relationship, &event).await? == Ended::Done {
            let ended_at = Some(request.now);
            return answer(&Relationship { state: RelationshipState::Ended, ended_at, ..relationship });
        }
    }
    Err(StoreError::Contention.into())
}

fn answer(relationship: &Relationship) -> Result<Response, Problem> {
    Response::json(200, &json!({"relationship": RelationshipView::new(relationship)}))
}
