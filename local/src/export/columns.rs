//! What can be exported, and the columns of each. The columns of customers, relationships and subscriptions are those of an import.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Customers,
    Relationships,
    Grants,
    Subscriptions,
    Events,
}

impl What {
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Customers => &["tenant_id", "name", "domain", "cloud", "market", "partner_id", "created_at"],
            Self::Relationships => &[
                "partner_id",
                "customer_tenant_id",
                "name",
                "state",
                "since",
                "ended_at",
                "external_reference",
                "partner_status",
                "proof",
            ],
            Self::Grants => &[
                "grant_id",
                "partner_id",
                "customer_tenant_id",
                "roles",
                "starts_at",
                "ends_at",
                "auto_extend",
                "state",
            ],
            Self::Subscriptions => &[
                "subscription_id",
                "customer_tenant_id",
                "service",
                "offer_id",
                "quantity",
                "billing_cycle",
                "term",
                "friendly_name",
                "external_reference",
                "started_on",
                "partner_of_record",
                "registered_at",
                "policy_version",
            ],
            Self::Events => {
                &["event_id", "type", "sequence", "occurred_at", "subject", "actor", "policy_version", "data"]
            }
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Customers => "customers",
            Self::Relationships => "relationships",
            Self::Grants => "grants",
            Self::Subscriptions => "subscriptions",
            Self::Events => "events",
        })
    }
}
