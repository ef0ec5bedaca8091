//! How a relationship's item is read, and the conditions on it. The commands on invitations write it.

use std::collections::BTreeMap;

use super::error::StoreError;
use super::item::{CorruptItem, Item, ItemReader, number};
use super::keys;
use super::op_context::OpContext;
use super::table::Store;
use super::write::Write;
use domain::{Grant, InvitationId, PartnerId, Proof, Relationship, RelationshipState, TenantId, Timestamp};

impl Store {
    /// A relationship, read now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn relationship(
        &self,
        op: OpContext,
        customer: &TenantId,
        partner: &PartnerId,
    ) -> Result<Option<Relationship>, StoreError> {
        let item = self.get(op, &keys::relationship(customer, partner)).await?;
        Ok(item.as_ref().map(read_relationship).transpose()?)
    }
}

/// The guard that a relationship is active in a period, with `:active` and `:period`.
pub(super) const ACTIVE_IN_PERIOD: &str = "relation = :active AND period = :period";

/// Checks that the relationship of a grant is active in the grant's period.
pub(super) fn check_period(grant: &Grant) -> Write {
    Write::check(keys::relationship(&grant.customer, &grant.partner_id), ACTIVE_IN_PERIOD).in_period(&grant.period)
}

/// Updates the version of a grant's relationship if it is active in the grant's period.
pub(super) fn touch_in_period(grant: &Grant) -> Write {
    Write::update(keys::relationship(&grant.customer, &grant.partner_id), ACTIVE_IN_PERIOD)
        .in_period(&grant.period)
        .increment_version()
}

impl Write {
    /// Adds the values of [`ACTIVE_IN_PERIOD`].
    fn in_period(self, period: &InvitationId) -> Self {
        self.text(":active", RelationshipState::Active.as_str()).text(":period", period.as_str())
    }

    /// Counts an action of today, of which there may be so many. The counters of the seven days before are removed.
    pub(super) fn count_today(self, counter: &str, now: Timestamp, limit: u32) -> Self {
        let mut write = self
            .and("(attribute_not_exists(#day0) OR #day0 < :limit)")
            .set("#day0 = if_not_exists(#day0, :zero) + :one")
            .value(":zero", number(0))
            .value(":one", number(1))
            .value(":limit", number(limit));
        for ago in 0..=7 {
            let day = format!("#day{ago}");
            write = write.name(&day, format!("{counter}_{}", now.minus_days(ago).day()));
            write = if ago > 0 { write.remove(day) } else { write };
        }
        write
    }

    pub(super) fn increment_version(self) -> Self {
        self.set("version = version + :one").value(":one", number(1))
    }
}

/// The prefix of the attributes that contain the end of a period. The tail of the period's invitation follows.
pub(super) const PERIOD_END: &str = "ended_";

pub(super) fn read_relationship(item: &Item) -> Result<Relationship, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let timed = |id: &str, at: &str| -> Result<_, CorruptItem> {
        let id = reader.maybe_parsed(id, InvitationId::parse)?;
        Ok(id.zip(reader.maybe_time(at)?))
    };
    let state = reader.parsed("relation", RelationshipState::parse)?;
    let period = timed("period", "since")?;
    let (customer, partner_id) = reader.key(keys::parse_relationship)?;
    if state != RelationshipState::None && period.is_none() {
        return Err(reader.corrupt("period", "is missing"));
    }
    Ok(Relationship {
        customer,
        partner_id,
        state,
        period,
        // Only an acceptance writes it.
        proof: reader.maybe_parsed("proof", Proof::parse)?.unwrap_or(Proof::None),
        ended_at: reader.maybe_time("ended")?,
        period_ends: read_period_ends(&reader, item)?,
        open_invitation: timed("open_invitation", "open_until")?,
        external_reference: reader.maybe_text("external_reference")?.map(str::to_owned),
        version: reader.number("version")?,
        chain: reader.chain()?,
    })
}

fn read_period_ends(reader: &ItemReader<'_>, item: &Item) -> Result<BTreeMap<String, Timestamp>, CorruptItem> {
    let ends = item.keys().filter_map(|name| Some((name, name.strip_prefix(PERIOD_END)?)));
    ends.map(|(name, tail)| Ok((tail.to_owned(), reader.time(name)?))).collect()
}
