use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use domain::{
    AggregateKind, Cloud, EndpointId, GrantId, InvitationId, KeyId, Owner, PartnerId, SessionId, Subscription,
    SubscriptionId, TenantId, Timestamp, WebhookId, digest,
};

/// Texts that try to be more than one part of a key.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("#".to_owned()),
        Just("PARTNER#".to_owned()),
        Just("GRANT".to_owned()),
        Just("public".to_owned()),
        Just("6f9619ff-8b86-d011-b42d-00cf4fc964ff".to_owned()),
        Just("ptr_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned()),
        Just("ep_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned()),
        Just("msg_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned()),
        Just("\0".to_owned()),
        Just("/".to_owned()),
        "[A-Za-z0-9._#-]{1,8}",
    ];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

/// Every key that can be built from a text, with what it identifies.
fn keys_from(text: &str) -> Vec<(String, Key)> {
    let fixed_tenant = TenantId::parse("00000000-0000-0000-0000-000000000001").unwrap();
    let fixed_partner = PartnerId::from_tenant(&fixed_tenant);
    let mut keys = Vec::new();
    let mut add = |what: &str, key: Key| keys.push((format!("{what} {}", text.to_ascii_lowercase()), key));
    if let Some(id) = &TenantId::parse(text) {
        add("tenant", tenant(id));
        add("relationship of customer", relationship(id, &fixed_partner));
    }
    if let Some(id) = &PartnerId::parse(text) {
        add("partner", partner(id));
        add("relationship of partner", relationship(&fixed_tenant, id));
    }
    if let Some(id) = InvitationId::parse(text) {
        add("invitation", invitation(&id));
        add("event", event(AggregateKind::Invitation, id.as_str(), 1));
    }
    if let Some(id) = GrantId::parse(text) {
        add("grant", grant(&fixed_tenant, &fixed_partner, &id));
    }
    if let Some(id) = KeyId::parse(text) {
        add("key", access_key(&id));
    }
    if let Some(id) = SessionId::parse(text) {
        add("session", session(&id));
    }
    if let Some(id) = EndpointId::parse(text) {
        add("endpoint", endpoint(&Owner::Partner(fixed_partner.clone()), &id));
        add("endpoint of customer", endpoint(&Owner::Customer(fixed_tenant.clone()), &id));
    }
    if let Some(id) = WebhookId::parse(text) {
        add("message", message(&id));
    }
    if let Some(id) = SubscriptionId::parse(text) {
        for cloud in Cloud::ALL {
            let aggregate_id = Subscription::aggregate_id(*cloud, &id);
            add(&format!("subscription {cloud}"), subscription(*cloud, &id));
            add(&format!("event {cloud}"), event(AggregateKind::Subscription, &aggregate_id, 1));
        }
    }
    keys
}

proptest! {
    #[test]
    fn two_different_things_never_share_a_key(texts in prop::collection::vec(hostile(), 1..12)) {
        let mut owners: BTreeMap<Key, String> = BTreeMap::new();
        for (owner, key) in texts.iter().flat_map(|text| keys_from(text)) {
            prop_assert!(key.pk.len() <= 2048 && key.sk.len() <= 1024);
            if let Some(other) = owners.insert(key.clone(), owner.clone()) {
                prop_assert_eq!(other, owner, "{:?}", key);
            }
        }
    }
}

#[test]
fn every_key_parses_back_to_its_ids() {
    let hash = digest("k", &[]);
    let customer = TenantId::parse("00000000-0000-0000-0000-000000000001").unwrap();
    let partner_id = PartnerId::from_tenant(&customer);
    let (invitation_id, grant_id, key_id) =
        (InvitationId::from_hash(&hash), GrantId::from_hash(&hash), KeyId::from_hash(&hash));
    let (endpoint_id, owner) = (EndpointId::from_hash(&hash), Owner::Customer(customer.clone()));
    let webhook_id = WebhookId::parse("msg_aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap();

    assert_eq!(parse_tenant(&tenant(&customer).pk), Some(customer.clone()));
    assert_eq!(parse_partner(&partner(&partner_id).pk), Some(partner_id.clone()));
    assert_eq!(parse_access_key(&access_key(&key_id).pk), Some(key_id));
    let session_id = SessionId::from_hash(&hash);
    assert_eq!(parse_session(&session(&session_id).pk), Some(session_id));
    assert_eq!(parse_invitation(&invitation(&invitation_id).pk), Some(invitation_id.clone()));
    assert_eq!(parse_endpoint(&endpoint(&owner, &endpoint_id).sk), Some(endpoint_id.clone()));
    assert_eq!(parse_delivery(&delivery(&webhook_id, &endpoint_id)), Some((webhook_id.clone(), endpoint_id)));
    assert_eq!(parse_delivery(&message(&webhook_id)), None);
    let relationship = relationship(&customer, &partner_id);
    assert_eq!(parse_relationship(&relationship), Some((customer.clone(), partner_id.clone())));
    assert_eq!(parse_grant(&relationship), None);
    let grant = grant(&customer, &partner_id, &grant_id);
    assert_eq!(parse_grant(&grant), Some((customer.clone(), grant_id)));
    assert_eq!(parse_relationship(&grant), None);
    let event = event(AggregateKind::Invitation, invitation_id.as_str(), 7);
    assert_eq!(parse_event(AggregateKind::Invitation, &event), Some((invitation_id.to_string(), 7)));
    assert_eq!(parse_event(AggregateKind::Grant, &event), None);
    assert_eq!(parse_partner_view(&partner_view(&partner_id)), Some(partner_id));
    assert_eq!(parse_customer_view(&customer_view(&customer)), Some(customer));
    let at = Timestamp::from_millis(5);
    assert_eq!(Listed::Delivery.parse_time(&Listed::Delivery.at(at)), Some(at));
    assert_eq!(Listed::Event.parse_time(&Listed::Delivery.at(at)), None);
}

#[test]
fn a_grant_is_listed_right_after_its_relationship() {
    let customer = TenantId::parse("00000000-0000-0000-0000-000000000001").unwrap();
    let partner = PartnerId::from_hash(&digest("p", &[]));
    let since = Timestamp::from_millis(5);
    let relationship = listed_relationship(since, &customer, &partner);
    let grant = listed_grant(since, &customer, &partner, since);
    assert!(grant.starts_with(&relationship) && relationship.starts_with(&Listed::Relationship.prefix()));
}
