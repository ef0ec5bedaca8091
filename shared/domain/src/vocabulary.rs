//! The words that requests and answers share: clouds, markets, roles, terms. Each is an enum or a checked text.

use serde::{Serialize, Serializer};

use crate::describe::describe;
use crate::words::words;

words! {
    /// The cloud a tenant lives in.
    Cloud {
        /// The public cloud.
        Public = "public",
        /// The US Government cloud.
        UsGov = "us_gov",
    }
    /// The role a person or key of a partner (or the global administrator of a customer) acts in.
    Role {
        /// Global administrator.
        GlobalAdmin = "global_admin",
        /// User management administrator.
        UserManagementAdmin = "user_management_admin",
        /// Sales agent.
        SalesAgent = "sales_agent",
        /// Admin agent.
        AdminAgent = "admin_agent",
        /// Helpdesk agent.
        HelpdeskAgent = "helpdesk_agent",
        /// Billing administrator.
        BillingAdmin = "billing_admin",
    }
    /// What an invitation asks for.
    InvitationKind {
        /// A reseller relationship, with or without delegated administration.
        Reseller = "reseller",
        /// Delegated administration within an active relationship.
        Grant = "grant",
    }
    /// The state of an invitation as a reader sees it; `expired` is computed, never stored.
    InvitationState {
        /// Waiting for an answer.
        Pending = "pending",
        /// The customer said yes.
        Accepted = "accepted",
        /// The customer said no.
        Declined = "declined",
        /// The partner withdrew it.
        Cancelled = "cancelled",
        /// Nobody answered in time.
        Expired = "expired",
    }
    /// How often a subscription is billed.
    BillingCycle {
        /// Every month.
        Monthly = "monthly",
        /// Every year.
        Annual = "annual",
        /// Every three years.
        Triennial = "triennial",
        /// Once.
        OneTime = "one_time",
    }
    /// How long a subscription runs (ISO 8601 duration).
    Term {
        /// One month.
        P1M = "P1M",
        /// One year.
        P1Y = "P1Y",
        /// Three years.
        P3Y = "P3Y",
    }
    /// The kind of a caller.
    CallerKind {
        /// Runs the service.
        Operator = "operator",
        /// A partner by its key.
        Partner = "partner",
        /// A customer by its key.
        Customer = "customer",
    }
    /// How whoever acted was known.
    ActorKind {
        /// An operator by key.
        Operator = "operator",
        /// A partner by key.
        Partner = "partner",
        /// A customer by key.
        Customer = "customer",
        /// A partner by signed webhook.
        Webhook = "webhook",
        /// Whoever holds an invitation's link.
        Link = "link",
        /// The service itself.
        System = "system",
    }
    /// The state of a webhook endpoint.
    EndpointState {
        /// It has not yet answered its challenge; what is for it waits.
        Pending = "pending",
        /// Events go there.
        Active = "active",
        /// Nothing goes there until its owner activates it again.
        Disabled = "disabled",
        /// Its owner removed it.
        Deleted = "deleted",
    }
    /// The state of one message on its way to one endpoint.
    DeliveryState {
        /// It will be tried, or tried again.
        Pending = "pending",
        /// The receiver took it.
        Delivered = "delivered",
        /// The last attempt failed.
        Exhausted = "exhausted",
        /// The receiver does not want it, or its endpoint is gone.
        Aborted = "aborted",
        /// Its endpoint was disabled before it arrived.
        EndpointDisabled = "endpoint_disabled",
    }
    /// What a message to an endpoint is for.
    DeliveryPurpose {
        /// It tells of an event.
        Event = "event",
        /// It asks whether anybody is there.
        Challenge = "challenge",
        /// Its endpoint's owner asked for it.
        Test = "test",
    }
    /// The decision of an answer.
    DecisionKind {
        Accepted = "accepted",
        Declined = "declined",
        Cancelled = "cancelled",
    }
    /// The state of a relationship. With `none` there have only been invitations.
    RelationshipState {
        None = "none",
        Active = "active",
        Ended = "ended",
    }
    /// The state of a grant. While the partner is suspended, an active grant is `suspended`.
    GrantState {
        Active = "active",
        Suspended = "suspended",
        Expired = "expired",
        Ended = "ended",
    }
    /// Whether a partner may act.
    PartnerStatus {
        /// It may.
        Active = "active",
        /// An operator has suspended it.
        Suspended = "suspended",
    }
}

/// A market: an ISO 3166-1 alpha-2 code, two upper-case letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Market([u8; 2]);

impl Market {
    /// Reads two upper-case letters; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        <[u8; 2]>::try_from(text.as_bytes()).ok().filter(|code| code.iter().all(u8::is_ascii_uppercase)).map(Self)
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Serialize for Market {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

describe!(Market: crate::describe::text(&["ISO 3166-1 alpha-2 code of a market."], "^[A-Z]{2}$"));
