//! Webhook endpoints, managed by their owner: a partner or a customer. An operator can see, disable and delete them. This
//! function only writes the table. `publish-events`
//! and `deliver-webhook` send what waits in the outbox.

mod body;
mod change;
mod create;
mod deliveries;
mod owner;
mod read;

use platform::config::Needs;
use platform::handler::{
    CustomerKey as OwnCustomer, CustomerOrOperator, PartnerKey, PartnerOrOperator, ReadingCustomer, ReadingPartner,
    permission::ManageEndpoints,
};
use platform::lambda::Function;

type OwnPartner = PartnerKey<ManageEndpoints>;
type PartnerOr = PartnerOrOperator<ManageEndpoints>;

pub const FUNCTION: Function = Function {
    name: "manage-endpoints",
    routes: platform::routes! {
        /// Create a webhook endpoint of the partner.
        "POST /v1/partners/{partner_id}/endpoints" => create::create::<OwnPartner>, writes [
            EndpointExists, EndpointLimit, EndpointUrlForbidden, RateLimited,
        ];
        /// List the partner's webhook endpoints.
        "GET /v1/partners/{partner_id}/endpoints" => read::list::<ReadingPartner>, reads [];
        /// Get one of the partner's webhook endpoints.
        "GET /v1/partners/{partner_id}/endpoints/{endpoint_id}" => read::one::<ReadingPartner>, reads [];
        /// Change one of the partner's webhook endpoints.
        "PATCH /v1/partners/{partner_id}/endpoints/{endpoint_id}" => change::update::<PartnerOr>, writes [
            EndpointExists, EndpointUrlForbidden, RateLimited,
        ];
        /// Delete one of the partner's webhook endpoints.
        "DELETE /v1/partners/{partner_id}/endpoints/{endpoint_id}" => change::delete::<PartnerOr>, writes [];
        /// Rotate the signing secret of one of the partner's webhook endpoints.
        "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/rotate" => change::rotate::<OwnPartner>, writes [
            RotationInProgress,
        ];
        /// Send a test message to one of the partner's webhook endpoints.
        "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/test" => deliveries::test::<OwnPartner>, writes [
            InvalidTransition, RateLimited,
        ];
        /// Send one message, or all that failed, to one of the partner's webhook endpoints again.
        "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/resend" => deliveries::resend::<OwnPartner>, writes [
            InvalidTransition, RateLimited,
        ];
        /// List the messages that were sent to one of the partner's webhook endpoints in the last 30 days.
        "GET /v1/partners/{partner_id}/endpoints/{endpoint_id}/deliveries" => read::deliveries::<ReadingPartner>, reads [];
        /// Create a webhook endpoint of the customer.
        "POST /v1/customers/{tenant_id}/endpoints" => create::create::<OwnCustomer>, writes [
            EndpointExists, EndpointLimit, EndpointUrlForbidden, RateLimited,
        ];
        /// List the customer's webhook endpoints.
        "GET /v1/customers/{tenant_id}/endpoints" => read::list::<ReadingCustomer>, reads [];
        /// Get one of the customer's webhook endpoints.
        "GET /v1/customers/{tenant_id}/endpoints/{endpoint_id}" => read::one::<ReadingCustomer>, reads [];
        /// Change one of the customer's webhook endpoints.
        "PATCH /v1/customers/{tenant_id}/endpoints/{endpoint_id}" => change::update::<CustomerOrOperator>, writes [
            EndpointExists, EndpointUrlForbidden, RateLimited, RoleNotPermitted,
        ];
        /// Delete one of the customer's webhook endpoints.
        "DELETE /v1/customers/{tenant_id}/endpoints/{endpoint_id}" => change::delete::<CustomerOrOperator>, writes [];
        /// Rotate the signing secret of one of the customer's webhook endpoints.
        "POST /v1/customers/{tenant_id}/endpoints/{endpoint_id}/rotate" => change::rotate::<OwnCustomer>, writes [
            RotationInProgress,
        ];
        /// Send a test message to one of the customer's webhook endpoints.
        "POST /v1/customers/{tenant_id}/endpoints/{endpoint_id}/test" => deliveries::test::<OwnCustomer>, writes [
            InvalidTransition, RateLimited,
        ];
        /// Send one message, or all that failed, to one of the customer's webhook endpoints again.
        "POST /v1/customers/{tenant_id}/endpoints/{endpoint_id}/resend" => deliveries::resend::<OwnCustomer>, writes [
            InvalidTransition, RateLimited,
        ];
        /// List the messages that were sent to one of the customer's webhook endpoints in the last 30 days.
        "GET /v1/customers/{tenant_id}/endpoints/{endpoint_id}/deliveries" => read::deliveries::<ReadingCustomer>, reads [];
    },
    needs: Needs { endpoints: true, ..Needs::TABLE_AND_KEYS },
};
