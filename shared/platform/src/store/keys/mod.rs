//! Every key of the table and its indexes is built and parsed here and nowhere else. The builders take checked types that
//! cannot contain `#`, so no id can forge the key of another item.

mod attributes;
mod due;
mod events;
mod key;
mod kind;
mod prefix;
mod primary;
mod shard;
mod views;

#[cfg(test)]
mod tests;

pub use attributes::{GSI1, GSI1_PK, GSI2, GSI2_PK, GSI3, GSI3_PK, GSI3_SK, GSI4, GSI4_PK, LISTED, PK, SK};
pub use due::{Mark, OUTBOX, due_shard, later_shard, outbox_shard};
pub use events::{aggregate_name, event, parse_event, subscription_events};
pub use key::Key;
pub use kind::ItemKind;
pub use primary::{
    access_key, delivery, endpoint, endpoint_list, grant, invitation, message, no_access_key, parse_access_key,
    parse_delivery, parse_endpoint, parse_grant, parse_invitation, parse_partner, parse_relationship, parse_session,
    parse_tenant, partner, poison, relationship, session, subscription, tenant,
};
pub use shard::{SHARDS, parse_shard, parse_shard_number};
pub use views::{
    Listed, customer_view, endpoint_view, endpoint_waiting, listed_grant, listed_relationship, operator_family,
    operator_view, parse_customer_view, parse_partner_view, partner_view, principal_view,
};
