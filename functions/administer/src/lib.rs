//! What an operator does: register customers, enroll partners, issue and revoke keys, suspend, resume, rename, rotate.
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
        /// Rename a customer.
        "PATCH /v1/customers/{tenant_id}" => customers::rename, writes [];
        /// Enroll a tenant as a partner.
        "POST /v1/partners" => partners::enroll, writes [CloudMismatch, MarketMismatch, PartnerExists];
        /// Rename a partner.
        "PATCH /v1/partners/{partner_id}" => partners::rename, writes [];
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
