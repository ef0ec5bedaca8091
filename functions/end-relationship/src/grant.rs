//! Ending a grant: the relationship and everything else goes on.

use domain::{Actor, EventType, Grant, GrantId, PartnerStatus, Relationship};
use platform::handler::App;
use platform::handler::views::GrantView;
use platform::http_api::{Problem, Request, Response};
use platform::store::{Ended, StoreError, TRIES};
use serde_json::json;

use crate::Side;

/// Ends it → `{grant}`. One that is over already is answered as it is.
pub(crate) async fn end(app: &App, request: &Request, side: &Side, actor: &Actor) -> Result<Response, Problem> {
    let id = GrantId::parse(request.path("grant_id")).ok_or_else(Problem::not_found)?;
    // A grant lies in its customer's partition, which only the invitation with the same tail tells.
    let invitation = app.store.invitation(request.op(), &id.invitation()).await?;
    let own = invitation.filter(|invitation| match side {
        Side::Partner(partner) => invitation.partner_id == *partner,
        Side::Customer(customer) => invitation.customer == *customer,
    });
    let own = own.ok_or_else(Problem::not_found)?;
    for _ in 0..TRIES {
        let attempt = request.op();
        let grant = app.store.grant(attempt, &own.customer, &own.partner_id, &id).await?;
        let grant = grant.ok_or_else(Problem::not_found)?;
        if grant.ended_at.is_some() || grant.ends_at(request.now) <= request.now {
            return over(request, &relationship_of(app, request, &grant).await?, &grant);
        }
        let event = grant.event(EventType::GrantEnded, app.occurrence(request, actor), []);
        if app.store.end_grant(attempt, &grant, &event).await? == Ended::Done {
            let ended = Grant { ended_at: Some(request.now), ..grant };
            return answer(GrantView::new(&ended, request.now, None, PartnerStatus::Active));
        }
        // Either the grant changed, which shows when it is read again, or its relationship is over, which shows here.
        let relationship = relationship_of(app, request, &grant).await?;
        if relationship.active_period() != Some(&grant.period) {
            return over(request, &relationship, &grant);
        }
    }
    Err(StoreError::Contention.into())
}

async fn relationship_of(app: &App, request: &Request, grant: &Grant) -> Result<Relationship, Problem> {
    let relationship = app.store.relationship(request.op(), &grant.customer, &grant.partner_id).await?;
    relationship.ok_or_else(|| Problem::internal("a grant's relationship is missing"))
}

/// A grant that is over: nothing is written, and it is answered as readers see it.
fn over(request: &Request, relationship: &Relationship, grant: &Grant) -> Result<Response, Problem> {
    Ok(answer(GrantView::in_relationship(relationship, grant, request.now, PartnerStatus::Active))?.replayed(true))
}

fn answer(grant: GrantView) -> Result<Response, Problem> {
    Response::json(200, &json!({"grant": grant}))
}
