//! Due work: invitations that have expired, and grants with a notice to announce. Announcing writes an event, and an extension
//! moves the grant in the list of grants. Readers cannot observe it in any other way.

use super::error::StoreError;
use super::grant::read_grant;
use super::invitation::{PENDING, read_invitation};
use super::item::{CorruptItem, Item, ItemReader, key_of, number};
use super::keys::{self, ItemKind, Key, Listed, Mark};
use super::op_context::OpContext;
use super::query::PageQuery;
use super::record::Recorded;
use super::relationship::check_period;
use super::table::Store;
use super::write::Write;
use domain::{AggregateKind, Chain, Event, Grant, GrantNotice, Invitation, Timestamp};

/// Something that is due.
#[derive(Clone, Debug)]
pub enum Due {
    /// An expired invitation.
    Invitation(Box<Invitation>),
    /// A grant, and the time when its notice was due.
    Grant(Box<Grant>, Timestamp),
    /// An item that cannot be read. It stays due.
    Unreadable(CorruptItem),
}

/// A page of due work.
#[derive(Debug)]
pub struct DuePage {
    /// Longest due first.
    pub items: Vec<Due>,
    /// The start of the next page of this shard; `None` at the end.
    pub next: Option<Item>,
}

impl Store {
    /// A page of what is due in a shard.
    ///
    /// # Errors
    /// [`StoreError`], in all methods here.
    pub async fn due(
        &self,
        op: OpContext,
        shard: u8,
        limit: usize,
        start: Option<Item>,
    ) -> Result<DuePage, StoreError> {
        let page = self.query(op, &PageQuery::due(keys::due_shard(shard), op.occurred_at, limit, start)).await?;
        let read = |item| read_due(item).unwrap_or_else(Due::Unreadable);
        Ok(DuePage { items: page.items.iter().map(read).collect(), next: page.next })
    }

    /// Announces that an invitation has expired. Returns `false` if it is announced already or has changed.
    pub async fn announce_invitation(
        &self,
        op: OpContext,
        invitation: &Invitation,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mark = Mark::due(invitation.invitation_id.as_str(), invitation.expires_at);
        let write = Write::change(keys::invitation(&invitation.invitation_id), &invitation.chain)
            .and("answer = :pending AND expires <= :now AND gsi3sk = :due_at")
            .remove("gsi3pk, gsi3sk")
            .text(":pending", PENDING)
            .text(":due_at", mark.entry)
            .value(":now", number(op.occurred_at.millis()));
        let recorded = self.record(&invitation.chain, event, write)?;
        Ok(self.transact(op, &[recorded.record, recorded.event]).await?.is_committed())
    }

    /// Announces the notice of a grant that is about the time `at`, where the grant is marked as due at `due`, and marks the
    /// next one. Returns the grant's chain, or `None` if it is announced already or the
    /// grant has changed.
    pub async fn announce_grant(
        &self,
        op: OpContext,
        grant: &Grant,
        (due, at): (Timestamp, Timestamp),
        event: &Event,
    ) -> Result<Option<Chain>, StoreError> {
        let write = Write::change(grant_key(grant), &grant.chain)
            .and("grant_state = :active AND gsi3sk = :due_at")
            .text(":active", "active")
            .text(":due_at", due.sortable());
        let write = match grant.next_notice(at) {
            Some((next, _)) => write.set("gsi3sk = :next").text(":next", next.sortable()),
            None => write.remove("gsi3pk, gsi3sk"),
        };
        let write = match grant.notice_at(at) {
            Some(GrantNotice::Extended) => {
                write.set("ending = :ending").text(":ending", Listed::Grant.at(grant.ends_at(at)))
            }
            _ => write,
        };
        let Recorded { record, event, chain } = self.record(&grant.chain, event, write)?;
        let outcome = self.transact(op, &[record, check_period(grant), event]).await?;
        if outcome.refusal(&keys::relationship(&grant.customer, &grant.partner_id)).is_some() {
            self.forget_due(op, grant, due).await?;
        }
        Ok(outcome.is_committed().then_some(chain))
    }

    /// A grant that ended with its relationship has nothing left to announce.
    async fn forget_due(&self, op: OpContext, grant: &Grant, due: Timestamp) -> Result<(), StoreError> {
        let forget = Write::update(grant_key(grant), "gsi3sk = :due_at").remove("gsi3pk, gsi3sk");
        self.transact(op, &[forget.text(":due_at", due.sortable())]).await.map(drop)
    }
}

fn grant_key(grant: &Grant) -> Key {
    keys::grant(&grant.customer, &grant.partner_id, &grant.grant_id)
}

fn read_due(item: &Item) -> Result<Due, CorruptItem> {
    if key_of(item).is_some_and(|key| key.kind() == ItemKind::Aggregate(AggregateKind::Invitation)) {
        return Ok(Due::Invitation(Box::new(read_invitation(item)?)));
    }
    let due = ItemReader::new(item)?.parsed(keys::GSI3_SK, Timestamp::parse_sortable)?;
    Ok(Due::Grant(Box::new(read_grant(item)?), due))
}
