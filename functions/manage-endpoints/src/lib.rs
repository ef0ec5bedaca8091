//! Webhook endpoints, managed by whoever they belong to: a partner or a customer. What goes there is for `publish-events`
//! and `deliver-webhook`; this function only writes the table, and what it writes waits in the outbox.

mod body;
mod change;
mod create;
mod deliveries;
mod owner;
mod read;

use platform::config::Needs;
use platform::lambda::Function;

/// The function.
pub const FUNCTION: Function = Function {
    name: "manage-endpoints",
    routes: platform::routes! {
        "POST /v1/partners/{partner_id}/endpoints" => create::create,
        "GET /v1/partners/{partner_id}/endpoints" => read::list,
        "GET /v1/partners/{partner_id}/endpoints/{endpoint_id}" => read::one,
        "PATCH /v1/partners/{partner_id}/endpoints/{endpoint_id}" => change::update,
        "DELETE /v1/partners/{partner_id}/endpoints/{endpoint_id}" => change::delete,
        "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/rotate" => change::rotate,
        "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/test" => deliveries::test,
        "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/resend" => deliveries::resend,
        "GET /v1/partners/{partner_id}/endpoints/{endpoint_id}/deliveries" => read::deliveries,
        "POST /v1/customers/{tenant_id}/endpoints" => create::create,
        "GET /v1/customers/{tenant_id}/endpoints" => read::list,
        "GET /v1/customers/{tenant_id}/endpoints/{endpoint_id}" => read::one,
        "PATCH /v1/customers/{tenant_id}/endpoints/{endpoint_id}" => change::update,
        "DELETE /v1/customers/{tenant_id}/endpoints/{endpoint_id}" => change::delete,
        "POST /v1/customers/{tenant_id}/endpoints/{endpoint_id}/rotate" => change::rotate,
        "POST /v1/customers/{tenant_id}/endpoints/{endpoint_id}/test" => deliveries::test,
        "POST /v1/customers/{tenant_id}/endpoints/{endpoint_id}/resend" => deliveries::resend,
        "GET /v1/customers/{tenant_id}/endpoints/{endpoint_id}/deliveries" => read::deliveries,
    },
    needs: Needs { endpoints: true, ..Needs::TABLE_AND_KEYS },
};
