//! Relationships: how the item is read. It is written by the commands of invitations, in their transactions.

use super::item::{CorruptItem, Item, ItemReader};
use super::keys;
use crate::domain::{InvitationId, PartnerId, Relationship, RelationshipState, TenantId};

/// Reads a relationship's item.
pub(super) fn read_relationship(item: &Item) -> Result<Relationship, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let timed = |id: &str, at: &str| -> Result<_, CorruptItem> {
        let id = reader.maybe_parsed(id, InvitationId::parse)?;
        Ok(id.zip(reader.maybe_time(at)?))
    };
    Ok(Relationship {
        customer: reader.parsed(keys::PK, |pk| TenantId::parse(pk.strip_prefix("CUSTOMER#")?))?,
        partner_id: reader.parsed(keys::SK, |sk| PartnerId::parse(sk.strip_prefix("PARTNER#")?))?,
        state: reader.parsed("relation", RelationshipState::parse)?,
        period: timed("period", "since")?,
        ended_at: reader.maybe_time("ended")?,
        open_invitation: timed("open_invitation", "open_until")?,
        version: reader.number("version")?,
        chain: reader.chain()?,
    })
}
