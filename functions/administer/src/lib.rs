//! What an operator does: register customers, enrol partners, issue and revoke keys, suspend, resume, rename, rotate.
//! Every command is idempotent.

mod body;
mod customers;
mod keys;
mod partners;

use std::sync::Arc;

use serde_json::Value;
use shared::app::App;
use shared::auth::Caller;
use shared::domain::{Actor, Chain, Event, EventType, Occurrence, Subject};
use shared::http::{Code, Problem, Request, Response};
use shared::lambda::Function;

/// The function.
pub const FUNCTION: Function = Function {
    name: "administer",
    routes: &[
        "POST /v1/customers",
        "PATCH /v1/customers/{tenant_id}",
        "POST /v1/partners",
        "PATCH /v1/partners/{partner_id}",
        "POST /v1/partners/{partner_id}/suspend",
        "POST /v1/partners/{partner_id}/resume",
        "POST /v1/partners/{partner_id}/signing-secret/rotate",
        "POST /v1/keys",
        "DELETE /v1/keys/{key_id}",
    ],
    needs_master_key: true,
    uses_table: true,
    handler: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: Arc<App>, request: Request) -> Result<Response, Problem> {
    let operator = Caller::by_key(&app, &request).await?.operator()?;
    let act = Act { app: &app, request: &request, operator };
    match request.route_key() {
        "POST /v1/customers" => customers::register(&act).await,
        "PATCH /v1/customers/{tenant_id}" => customers::rename(&act).await,
        "POST /v1/partners" => partners::enrol(&act).await,
        "PATCH /v1/partners/{partner_id}" => partners::rename(&act).await,
        "POST /v1/partners/{partner_id}/suspend" => partners::suspend(&act).await,
        "POST /v1/partners/{partner_id}/resume" => partners::resume(&act).await,
        "POST /v1/partners/{partner_id}/signing-secret/rotate" => partners::rotate(&act).await,
        "POST /v1/keys" => keys::issue(&act).await,
        "DELETE /v1/keys/{key_id}" => keys::revoke(&act).await,
        _ => Err(Problem::not_found()),
    }
}

/// An operator's act.
struct Act<'a> {
    app: &'a App,
    request: &'a Request,
    operator: Actor,
}

impl Act<'_> {
    /// The event of this act, next in a chain.
    fn event<const N: usize>(
        &self,
        event_type: EventType,
        aggregate_id: &str,
        chain: &Chain,
        subject: Subject,
        data: [(&str, Value); N],
    ) -> Event {
        let policy_version = self.app.policy_for(self.request).version;
        let occurrence = Occurrence { at: self.request.now, actor: &self.operator, policy_version };
        Event::next(event_type, aggregate_id, chain, subject, occurrence, data)
    }
}

/// Twins of a request may change an item between reading and writing it; each time it is read again.
const TRIES: usize = 3;

fn contention() -> Problem {
    Problem::new(Code::Contention, "The item kept changing; send the request again.").retry_after(1)
}
