//! What an operator does: register customers, enrol partners, issue and revoke keys, suspend, resume, rename, rotate.
//! Every command can be repeated, but a rotation and a key that was asked for without an idempotency key.

mod body;
mod customers;
mod keys;
mod partners;

use domain::{Actor, Occurrence};
use platform::config::Needs;
use platform::handler::App;
use platform::handler::Caller;
use platform::http_api::{Problem, Request};
use platform::lambda::Function;

/// The function.
pub const FUNCTION: Function = Function {
    name: "administer",
    routes: platform::routes! {
        "POST /v1/customers" => customers::register,
        "PATCH /v1/customers/{tenant_id}" => customers::rename,
        "POST /v1/partners" => partners::enrol,
        "PATCH /v1/partners/{partner_id}" => partners::rename,
        "POST /v1/partners/{partner_id}/suspend" => partners::suspend,
        "POST /v1/partners/{partner_id}/resume" => partners::resume,
        "POST /v1/partners/{partner_id}/signing-secret/rotate" => partners::rotate,
        "POST /v1/keys" => keys::issue,
        "DELETE /v1/keys/{key_id}" => keys::revoke,
    },
    needs: Needs::TABLE_AND_KEYS,
};

/// An operator's act.
struct Act<'a> {
    app: &'a App,
    request: &'a Request,
    operator: Actor,
}

impl<'a> Act<'a> {
    /// The act of whoever calls, if that is an operator.
    async fn of(app: &'a App, request: &'a Request) -> Result<Self, Problem> {
        let operator = Caller::by_key(app, request).await?.operator()?;
        Ok(Self { app, request, operator })
    }

    fn occurrence(&self) -> Occurrence<'_> {
        self.app.occurrence(self.request, &self.operator)
    }
}
