//! What keys and partitions begin with.

pub(super) const TENANT: &str = "TENANT#";
pub(super) const PARTNER: &str = "PARTNER#";
pub(super) const CUSTOMER: &str = "CUSTOMER#";
pub(super) const ACCESS_KEY: &str = "KEY#";
pub(super) const SESSION: &str = "SESSION#";
pub(super) const INVITATION: &str = "INVITATION#";
pub(super) const SUBSCRIPTION: &str = "SUBSCRIPTION#";
pub(super) const ENDPOINTS: &str = "ENDPOINTS#";
pub(super) const ENDPOINT: &str = "ENDPOINT#";
/// The sort key of the list of an owner's endpoints.
pub(super) const ENDPOINT_LIST: &str = "LIST";
pub(super) const DELIVERY: &str = "DELIVERY#";
pub(super) const POISON: &str = "POISON#";
pub(super) const EVENTS: &str = "EVENTS#";
/// Between the sort key of a relationship and the id of one of its grants.
pub(super) const GRANT: &str = "#GRANT#";
