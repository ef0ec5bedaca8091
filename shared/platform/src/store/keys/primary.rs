//! Primary keys: for each kind of item, how its key is built, and how the ids are parsed back.

use data_encoding::HEXLOWER;

use super::key::Key;
use super::prefix::{
    ACCESS_KEY, DELIVERY, ENDPOINT, ENDPOINT_LIST, ENDPOINTS, GRANT, INVITATION, PARTNER, POISON, SESSION,
    SUBSCRIPTION, TENANT,
};
use super::views::{customer_view, parse_customer_view};
use domain::{
    Cloud, EndpointId, GrantId, InvitationId, KeyId, Owner, PartnerId, SessionId, Subscription, SubscriptionId,
    TenantId, WebhookId,
};

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

/// Parses the id after a prefix.
fn after<T>(prefix: &str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    parse(text.strip_prefix(prefix)?)
}

pub fn tenant(id: &TenantId) -> Key {
    key(format!("{TENANT}{id}"), "TENANT")
}

pub fn parse_tenant(pk: &str) -> Option<TenantId> {
    after(TENANT, pk, TenantId::parse)
}

pub fn partner(id: &PartnerId) -> Key {
    key(format!("{PARTNER}{id}"), "PARTNER")
}

pub fn parse_partner(pk: &str) -> Option<PartnerId> {
    after(PARTNER, pk, PartnerId::parse)
}

pub fn access_key(id: &KeyId) -> Key {
    key(format!("{ACCESS_KEY}{id}"), "KEY")
}

pub fn parse_access_key(pk: &str) -> Option<KeyId> {
    after(ACCESS_KEY, pk, KeyId::parse)
}

/// A key that never exists, read only to open the connection: every access key has an id.
pub fn no_access_key() -> Key {
    key(ACCESS_KEY.to_owned(), "KEY")
}

pub fn session(id: &SessionId) -> Key {
    key(format!("{SESSION}{id}"), "SESSION")
}

pub fn parse_session(pk: &str) -> Option<SessionId> {
    after(SESSION, pk, SessionId::parse)
}

/// A relationship is in its customer's partition.
pub fn relationship(customer: &TenantId, partner: &PartnerId) -> Key {
    key(customer_view(customer), format!("{PARTNER}{partner}"))
}

/// The customer and the partner of a relationship.
pub fn parse_relationship(key: &Key) -> Option<(TenantId, PartnerId)> {
    Some((parse_customer_view(&key.pk)?, after(PARTNER, &key.sk, PartnerId::parse)?))
}

/// A grant sorts after its relationship.
pub fn grant(customer: &TenantId, partner: &PartnerId, id: &GrantId) -> Key {
    key(customer_view(customer), format!("{PARTNER}{partner}{GRANT}{id}"))
}

/// The customer and the id of a grant.
pub fn parse_grant(key: &Key) -> Option<(TenantId, GrantId)> {
    let (_, id) = key.sk.split_once(GRANT)?;
    Some((parse_customer_view(&key.pk)?, GrantId::parse(id)?))
}

pub fn invitation(id: &InvitationId) -> Key {
    key(format!("{INVITATION}{id}"), "INVITATION")
}

pub fn parse_invitation(pk: &str) -> Option<InvitationId> {
    after(INVITATION, pk, InvitationId::parse)
}

pub fn subscription(cloud: Cloud, id: &SubscriptionId) -> Key {
    key(format!("{SUBSCRIPTION}{}", Subscription::aggregate_id(cloud, id)), "SUBSCRIPTION")
}

/// The partition of an owner's webhook endpoints.
fn endpoints(owner: &Owner) -> String {
    let kind = match owner {
        Owner::Partner(_) => "PARTNER",
        Owner::Customer(_) => "CUSTOMER",
    };
    format!("{ENDPOINTS}{kind}#{}", owner.id())
}

pub fn endpoint(owner: &Owner, id: &EndpointId) -> Key {
    key(endpoints(owner), format!("{ENDPOINT}{id}"))
}

pub fn parse_endpoint(sk: &str) -> Option<EndpointId> {
    after(ENDPOINT, sk, EndpointId::parse)
}

/// The item that lists an owner's endpoints and their URLs.
pub fn endpoint_list(owner: &Owner) -> Key {
    key(endpoints(owner), ENDPOINT_LIST)
}

/// The delivery of one message to one endpoint.
pub fn delivery(id: &WebhookId, endpoint: &EndpointId) -> Key {
    key(format!("{DELIVERY}{id}"), endpoint.as_str())
}

/// The message and the endpoint of a delivery.
pub fn parse_delivery(key: &Key) -> Option<(WebhookId, EndpointId)> {
    Some((after(DELIVERY, &key.pk, WebhookId::parse)?, EndpointId::parse(&key.sk)?))
}

/// The bytes of a message, in the partition of its deliveries.
pub fn message(id: &WebhookId) -> Key {
    key(format!("{DELIVERY}{id}"), "MESSAGE")
}

/// A note about something that can never be published; `id` is the hash of its name.
pub fn poison(id: &[u8; 32]) -> Key {
    key(format!("{POISON}{}", HEXLOWER.encode(id)), "POISON")
}
