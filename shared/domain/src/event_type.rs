//! Types of events.

use super::words::words;

words! {
    /// The kinds of records that have events, as keys in the table spell them.
    AggregateKind {
        Invitation = "INVITATION",
        Relationship = "RELATIONSHIP",
        Grant = "GRANT",
        Subscription = "SUBSCRIPTION",
        Tenant = "TENANT",
        Partner = "PARTNER",
        Key = "KEY",
        Endpoint = "ENDPOINT",
    }
}

macro_rules! event_types {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal of $kind:ident;)*) => {
        words! {
            /// Types of events.
            EventType { $($(#[doc = $doc])* $variant = $name,)* }
        }

        impl EventType {
            /// The kind of record whose event it is.
            pub fn aggregate(self) -> AggregateKind {
                match self { $(Self::$variant => AggregateKind::$kind,)* }
            }
        }
    };
}

event_types! {
    InvitationCreated = "invitation.created" of Invitation;
    /// Has the relationship and the grant that the acceptance started.
    InvitationAccepted = "invitation.accepted" of Invitation;
    InvitationDeclined = "invitation.declined" of Invitation;
    InvitationCancelled = "invitation.cancelled" of Invitation;
    InvitationRenewed = "invitation.renewed" of Invitation;
    InvitationExpired = "invitation.expired" of Invitation;
    /// Has the ids of the grants that ended with it.
    RelationshipEnded = "relationship.ended" of Relationship;
    /// One side took roles away, set an earlier end, or turned the extension off.
    GrantNarrowed = "grant.narrowed" of Grant;
    GrantEnded = "grant.ended" of Grant;
    /// The grant extended itself.
    GrantExtended = "grant.extended" of Grant;
    /// The grant ends in 30, 7 or 1 days.
    GrantExpiring = "grant.expiring" of Grant;
    GrantExpired = "grant.expired" of Grant;
    SubscriptionRegistered = "subscription.registered" of Subscription;
    CustomerRegistered = "customer.registered" of Tenant;
    /// Has the members that changed.
    CustomerUpdated = "customer.updated" of Tenant;
    /// An operator ended all sessions of the customer's administrators.
    CustomerSessionsEnded = "customer.sessions_ended" of Tenant;
    PartnerEnrolled = "partner.enrolled" of Partner;
    /// Has the members that changed.
    PartnerUpdated = "partner.updated" of Partner;
    PartnerSuspended = "partner.suspended" of Partner;
    PartnerResumed = "partner.resumed" of Partner;
    /// Signing secrets of partners. Rotating the secret of an endpoint is `endpoint.updated`.
    SecretRotated = "secret.rotated" of Partner;
    KeyIssued = "key.issued" of Key;
    KeyRevoked = "key.revoked" of Key;
    EndpointCreated = "endpoint.created" of Endpoint;
    /// The owner changed the address, filter, description, state or secret.
    EndpointUpdated = "endpoint.updated" of Endpoint;
    /// The endpoint answered its challenge.
    EndpointActivated = "endpoint.activated" of Endpoint;
    /// Has the reason.
    EndpointDisabled = "endpoint.disabled" of Endpoint;
    EndpointDeleted = "endpoint.deleted" of Endpoint;
}
