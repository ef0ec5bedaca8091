//! Words that requests, responses and the table share.

use crate::describe::{describe, text_in_json};
use crate::words::words;

words! {
    /// The cloud of a tenant.
    Cloud {
        Public = "public",
        UsGov = "us_gov",
    }
    /// The role in which a person or key acts. Customers act as `global_admin`.
    Role {
        GlobalAdmin = "global_admin",
        UserManagementAdmin = "user_management_admin",
        SalesAgent = "sales_agent",
        AdminAgent = "admin_agent",
        HelpdeskAgent = "helpdesk_agent",
        BillingAdmin = "billing_admin",
    }
    /// What an invitation asks for: a `reseller` relationship with or without delegated administration, or a `grant` of
    /// delegated administration within an active relationship.
    InvitationKind {
        Reseller = "reseller",
        Grant = "grant",
    }
    /// The state of an invitation. `expired` is computed, never stored.
    InvitationState {
        Pending = "pending",
        Accepted = "accepted",
        Declined = "declined",
        Cancelled = "cancelled",
        Expired = "expired",
    }
    /// The decision of an answer.
    DecisionKind {
        Accepted = "accepted",
        Declined = "declined",
        Cancelled = "cancelled",
    }
    /// Why an invitation was cancelled, if not by its partner.
    CancelReason {
        RelationshipEnded = "relationship_ended",
    }
    /// The state of a relationship. With `none` there have only been invitations.
    RelationshipState {
        None = "none",
        Active = "active",
        Ended = "ended",
    }
    /// The state of a grant. While the partner is suspended, its active grants are `suspended`.
    GrantState {
        Active = "active",
        Suspended = "suspended",
        Expired = "expired",
        Ended = "ended",
    }
    /// How often a subscription is billed.
    BillingCycle {
        Monthly = "monthly",
        Annual = "annual",
        Triennial = "triennial",
        OneTime = "one_time",
    }
    /// How long a subscription runs, as an ISO 8601 duration.
    Term {
        P1M = "P1M",
        P1Y = "P1Y",
        P3Y = "P3Y",
    }
    /// What became of one subscription of a batch: it is new, it was registered before, or it was rejected.
    RegistrationOutcome {
        Registered = "registered",
        Replayed = "replayed",
        Refused = "refused",
    }
    /// The kind of a caller.
    CallerKind {
        Operator = "operator",
        Partner = "partner",
        Customer = "customer",
    }
    /// How an actor was identified: `operator`, `partner` and `customer` by key, `webhook` by the partner's signature, `link`
    /// by the token of an invitation. `system` is a job of the service.
    ActorKind {
        Operator = "operator",
        Partner = "partner",
        Customer = "customer",
        Webhook = "webhook",
        Link = "link",
        System = "system",
    }
    /// What proves that the actor is who it says: an access key, a signature, possession of an invitation's link, or a sign-in
    /// at the customer's identity provider. `none` for a job of the service, and for what an operator states about others.
    Proof {
        Key = "key",
        Signature = "signature",
        Link = "link",
        SignIn = "sign_in",
        None = "none",
    }
    /// The state of an endpoint. Messages for a `pending` endpoint are kept until it answers its challenge. Nothing is sent to
    /// a `disabled` or `deleted` endpoint.
    EndpointState {
        Pending = "pending",
        Active = "active",
        Disabled = "disabled",
        Deleted = "deleted",
    }
    /// The state of a delivery: `exhausted` after the last attempt failed, `aborted` if the receiver rejected the message or
    /// the endpoint was deleted, `endpoint_disabled` if the endpoint was disabled before.
    DeliveryState {
        Pending = "pending",
        Delivered = "delivered",
        Exhausted = "exhausted",
        Aborted = "aborted",
        EndpointDisabled = "endpoint_disabled",
    }
    /// What a message is for: an event, a challenge to a pending endpoint, or a test that the owner asked for.
    DeliveryPurpose {
        Event = "event",
        Challenge = "challenge",
        Test = "test",
    }
    /// Whether a partner may act.
    PartnerStatus {
        Active = "active",
        Suspended = "suspended",
    }
}

impl BillingCycle {
    /// Whether the subscription runs at least as long as a billing period.
    pub fn fits(self, term: Term) -> bool {
        match self {
            Self::Monthly | Self::OneTime => true,
            Self::Annual => matches!(term, Term::P1Y | Term::P3Y),
            Self::Triennial => term == Term::P3Y,
        }
    }
}

/// A market: an ISO 3166-1 alpha-2 code, two upper-case letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Market([u8; 2]);

impl Market {
    /// Reads a code that ISO 3166-1 assigns now.
    pub fn parse_assigned(text: &str) -> Option<Self> {
        let market = Self::parse(text)?;
        // Only assigned codes have a number; user-assigned ones have none.
        let number = iso3166_static::Alpha2::try_from(text).and_then(iso3166_static::Numeric::try_from);
        number.ok().map(|_| market)
    }

    /// Reads two upper-case letters, as the table stores them; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        <[u8; 2]>::try_from(text.as_bytes()).ok().filter(|code| code.iter().all(u8::is_ascii_uppercase)).map(Self)
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

text_in_json!(Market, "a market: two upper-case letters");

describe!(Market: crate::describe::text(&["A market: an ISO 3166-1 alpha-2 code."], "^[A-Z]{2}$"));

#[cfg(test)]
mod tests {
    use super::Market;

    #[test]
    fn only_assigned_codes_are_markets_of_requests() {
        let letters = || 'A'..='Z';
        let codes = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
        let assigned: Vec<_> = codes.filter(|code| Market::parse_assigned(code).is_some()).collect();
        assert_eq!(assigned.len(), 249);
        for code in ["AD", "FR", "GB", "SS", "US", "ZW"] {
            assert!(assigned.contains(&code.to_owned()), "{code}");
        }
        // Exceptionally reserved, transitionally reserved, withdrawn and user-assigned codes.
        for code in ["UK", "EU", "AN", "YU", "XK", "XX", "QM", "AA", "ZZ", "us", "U", "USA", "840", "Uſ"] {
            assert_eq!(Market::parse_assigned(code), None, "{code}");
        }
    }
}
