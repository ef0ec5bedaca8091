//! Either side ends a relationship, or a grant within it. Subscriptions stay as they are; only new ones stop.

mod grant;
mod relationship;

use std::sync::Arc;

use shared::app::App;
use shared::auth::Caller;
use shared::domain::{Action, Actor, PartnerId, TenantId};
use shared::http::{Code, Problem, Request, Response};
use shared::lambda::Function;

const BY_PARTNER: &str = "DELETE /v1/partners/{partner_id}/customers/{tenant_id}";
const BY_CUSTOMER: &str = "DELETE /v1/customers/{tenant_id}/partners/{partner_id}";
const GRANT_BY_PARTNER: &str = "DELETE /v1/partners/{partner_id}/grants/{grant_id}";
const GRANT_BY_CUSTOMER: &str = "DELETE /v1/customers/{tenant_id}/grants/{grant_id}";

/// The function.
pub const FUNCTION: Function = Function {
    name: "end-relationship",
    routes: &[BY_PARTNER, BY_CUSTOMER, GRANT_BY_PARTNER, GRANT_BY_CUSTOMER],
    needs_master_key: false,
    uses_table: true,
    handler: |app, request| Box::pin(handle(app, request)),
};

/// Twins of a request may change an item between reading and writing it; each time it is read again.
const TRIES: usize = 3;

async fn handle(app: Arc<App>, request: Request) -> Result<Response, Problem> {
    let caller = Caller::by_key(&app, &request).await?;
    match request.route_key() {
        BY_PARTNER => {
            let acting = caller.acting_partner(&app, &request, Action::EndRelationship).await?;
            let customer = TenantId::parse(request.path("tenant_id")).ok_or_else(Problem::not_found)?;
            relationship::end(&app, &request, &customer, &acting.partner.partner_id, &acting.actor).await
        }
        BY_CUSTOMER => {
            let (customer, actor) = caller.acting_customer(&app, &request, Action::EndRelationship)?;
            let partner = PartnerId::parse(request.path("partner_id")).ok_or_else(Problem::not_found)?;
            relationship::end(&app, &request, &customer, &partner, &actor).await
        }
        GRANT_BY_PARTNER => {
            let acting = caller.acting_partner(&app, &request, Action::EndGrant).await?;
            grant::end(&app, &request, &Side::Partner(acting.partner.partner_id), &acting.actor).await
        }
        GRANT_BY_CUSTOMER => {
            let (customer, actor) = caller.acting_customer(&app, &request, Action::EndGrant)?;
            grant::end(&app, &request, &Side::Customer(customer), &actor).await
        }
        _ => Err(Problem::not_found()),
    }
}

/// Whose grant it has to be.
enum Side {
    Partner(PartnerId),
    Customer(TenantId),
}

fn contention() -> Problem {
    Problem::new(Code::Contention, "It kept changing; send the request again.").retry_after(1)
}

/// What an act is recorded as.
fn occurrence<'a>(app: &App, request: &Request, actor: &'a Actor) -> shared::domain::Occurrence<'a> {
    shared::domain::Occurrence { at: request.now, actor, policy_version: app.policy_for(request).version }
}
