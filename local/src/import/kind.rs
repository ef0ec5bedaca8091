//! What can be imported, and the columns of each.

use std::fmt;

use domain::CallerKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Customers,
    Relationships,
    Invitations,
    Subscriptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Required,
    Optional,
    /// An export has it. It is accepted, so that an export can be imported elsewhere, and not sent.
    Ignored,
}

use Use::{Ignored, Optional, Required};

pub type Column = (&'static str, Use);

const CUSTOMERS: &[Column] = &[
    ("tenant_id", Required),
    ("name", Required),
    ("domain", Optional),
    ("cloud", Required),
    ("market", Required),
    ("partner_id", Ignored),
    ("created_at", Ignored),
];

const RELATIONSHIPS: &[Column] = &[
    ("partner_id", Required),
    ("customer_tenant_id", Required),
    ("since", Required),
    ("external_reference", Optional),
    ("state", Optional),
    ("name", Ignored),
    ("partner_status", Ignored),
    ("proof", Ignored),
    ("ended_at", Ignored),
];

const INVITATIONS: &[Column] = &[
    ("customer_tenant_id", Required),
    ("roles", Optional),
    ("duration", Optional),
    ("auto_extend", Optional),
    ("message", Optional),
    ("contact_email", Optional),
    ("external_reference", Optional),
    ("expires_in_days", Optional),
];

const SUBSCRIPTIONS: &[Column] = &[
    ("subscription_id", Required),
    ("customer_tenant_id", Required),
    ("service", Required),
    ("offer_id", Required),
    ("quantity", Required),
    ("billing_cycle", Required),
    ("term", Required),
    ("friendly_name", Optional),
    ("external_reference", Optional),
    ("started_on", Optional),
    ("partner_of_record", Optional),
    ("registered_at", Ignored),
    ("policy_version", Ignored),
];

impl Kind {
    pub fn all_columns(self) -> &'static [Column] {
        match self {
            Self::Customers => CUSTOMERS,
            Self::Relationships => RELATIONSHIPS,
            Self::Invitations => INVITATIONS,
            Self::Subscriptions => SUBSCRIPTIONS,
        }
    }

    /// The columns that are sent, for a person.
    pub fn columns(self) -> String {
        let shown = self.all_columns().iter().filter(|(_, usage)| *usage != Ignored);
        let name = |(name, usage): &Column| if *usage == Required { (*name).to_owned() } else { format!("{name}?") };
        shown.map(name).collect::<Vec<_>>().join(", ")
    }

    /// Whose key imports it.
    pub fn caller(self) -> CallerKind {
        match self {
            Self::Customers | Self::Relationships => CallerKind::Operator,
            Self::Invitations | Self::Subscriptions => CallerKind::Partner,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Customers => "customers",
            Self::Relationships => "relationships",
            Self::Invitations => "invitations",
            Self::Subscriptions => "subscriptions",
        })
    }
}
