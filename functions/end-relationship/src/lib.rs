//! Either side ends a relationship, or ends or narrows a grant within it. Registered subscriptions stay as they are.

mod grant;
mod narrow;
mod own_grant;
mod relationship;

use platform::config::Needs;
use platform::lambda::Function;

pub const FUNCTION: Function = Function {
    name: "end-relationship",
    routes: platform::routes! {
        /// End the partner's relationship with a customer, and all grants in it.
        "DELETE /v1/partners/{partner_id}/customers/{tenant_id}" => relationship::by_partner, writes [];
        /// End the customer's relationship with a partner, and all grants in it.
        "DELETE /v1/customers/{tenant_id}/partners/{partner_id}" => relationship::by_customer, writes [];
        /// Reduce a grant that the partner holds: fewer roles, an earlier end, no extension.
        "PATCH /v1/partners/{partner_id}/grants/{grant_id}" => narrow::by_partner, writes [
            GrantNotNarrower, InvalidTransition,
        ];
        /// Reduce a grant that the customer gave: fewer roles, an earlier end, no extension.
        "PATCH /v1/customers/{tenant_id}/grants/{grant_id}" => narrow::by_customer, writes [
            GrantNotNarrower, InvalidTransition,
        ];
        /// End a grant that the partner holds.
        "DELETE /v1/partners/{partner_id}/grants/{grant_id}" => grant::by_partner, writes [];
        /// End a grant that the customer gave.
        "DELETE /v1/customers/{tenant_id}/grants/{grant_id}" => grant::by_customer, writes [];
    },
    needs: Needs::TABLE,
};
