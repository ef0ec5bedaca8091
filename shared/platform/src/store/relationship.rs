//! Relationships: how the item is read. It is written by the commands of invitations, in their transactions.

use std::collections::BTreeMap;

use super::item::{CorruptItem, Item, ItemReader};
use super::keys;
use domain::{InvitationId, PartnerId, Relationship, RelationshipState, TenantId, Timestamp};

/// What the attribute that says when a period ended begins with; the tail of its invitation follows.
pub(super) const PERIOD_END: &str = "ended_";

/// Reads a relationship's item.
pub(super) fn read_relationship(item: &Item) -> Result<Relationship, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let timed = |id: &str, at: &str| -> Result<_, CorruptItem> {
        let id = reader.maybe_parsed(id, InvitationId::parse)?;
        Ok(id.zip(reader.maybe_time(at)?))
    };
    let state = reader.parsed("relation", RelationshipState::parse)?;
    let period = timed("period", "since")?;
    if state != RelationshipState::None && period.is_none() {
        return Err(reader.corrupt("period", "is missing"));
    }
    Ok(Relationship {
        customer: reader.parsed(keys::PK, |pk| TenantId::parse(pk.strip_prefix("CUSTOMER#")?))?,
        partner_id: reader.parsed(keys::SK, |sk| PartnerId::parse(sk.strip_prefix("PARTNER#")?))?,
        state,
        period,
        ended_at: reader.maybe_time("ended")?,
        period_ends: read_period_ends(&reader, item)?,
        open_invitation: timed("open_invitation", "open_until")?,
        version: reader.number("version")?,
        chain: reader.chain()?,
    })
}

fn read_period_ends(reader: &ItemReader<'_>, item: &Item) -> Result<BTreeMap<String, Timestamp>, CorruptItem> {
    let ends = item.keys().filter_map(|name| Some((name, name.strip_prefix(PERIOD_END)?)));
    ends.map(|(name, tail)| Ok((tail.to_owned(), reader.time(name)?))).collect()
}
