//! What an operator does: register customers, enroll partners, correct their records, issue and revoke keys, suspend, resume,
//! rotate.
//! Every request can be repeated, except a rotation and a request for a key without an `Idempotency-Key`.

mod body;
mod customers;
mod keys;
mod partners;
mod principal;

use platform::config::Needs;
use platform::lambda::Function;

pub const FUNCTION: Function = Function {
    name: "administer",
    routes: platform::routes! {
        /// Register a tenant as a customer.
        "POST /v1/customers" => customers::register, writes [TenantExists];
        /// Correct a customer's name, domain, market or cloud.
        "PATCH /v1/customers/{tenant_id}" => customers::correct, writes [CustomerInUse];
        /// End all sessions of a customer's administrators. They stop working within 30 seconds.
        "DELETE /v1/customers/{tenant_id}/sessions" => customers::end_sessions, writes [];
        /// Enroll a tenant as a partner.
        "POST /v1/partners" => partners::enroll, writes [CloudMismatch, MarketMismatch, PartnerExists];
        /// Correct a partner's name, domain or market.
        "PATCH /v1/partners/{partner_id}" => partners::correct, writes [CustomerInUse];
        /// Suspend a partner. Its own requests are rejected until it is resumed.
        "POST /v1/partners/{partner_id}/suspend" => partners::suspend, writes [];
        /// Resume a suspended partner.
        "POST /v1/partners/{partner_id}/resume" => partners::resume, writes [];
        /// Rotate the secret with which a partner signs its webhooks.
        "POST /v1/partners/{partner_id}/signing-secret/rotate" => partners::rotate, writes [RotationInProgress];
        /// Issue an access key.
        "POST /v1/keys" => keys::issue, writes [PrincipalUnknown];
        /// Revoke an access key. It stops working within 30 seconds.
        "DELETE /v1/keys/{key_id}" => keys::revoke, writes [];
    },
    needs: Needs::TABLE_AND_KEYS,
};
