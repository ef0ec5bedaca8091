//! Due work: invitations whose time is over, grants of which something is to be announced. Announcing writes an event and
//! nothing that a reader could tell.

use super::grant::read_grant;
use super::invitation::{PENDING, read_invitation};
use super::item::{CorruptItem, Item, ItemReader, bytes, number};
use super::keys;
use super::read::PageQuery;
use super::transact::Outcome;
use super::write::Write;
use super::{OpContext, Store, StoreError, event};
use domain::{Event, Grant, Invitation, RelationshipState, Timestamp};

/// Something that is due.
#[derive(Clone, Debug)]
pub enum Due {
    /// An invitation whose time is over.
    Invitation(Box<Invitation>),
    /// A grant, and when what is to be announced of it was due.
    Grant(Box<Grant>, Timestamp),
    /// An item that can't be read; it stays where it is, and others go on.
    Unreadable(CorruptItem),
}

/// A page of due work.
#[derive(Debug)]
pub struct DuePage {
    /// What is due, oldest first.
    pub items: Vec<Due>,
    /// Where to go on in this shard; `None` at the end.
    pub next: Option<Item>,
}

impl Store {
    /// A page of what is due in a shard.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub async fn due(
        &self,
        attempt: OpContext,
        shard: u8,
        limit: usize,
        start: Option<Item>,
    ) -> Result<DuePage, StoreError> {
        let query = PageQuery::due(keys::due_shard(shard), attempt.occurred_at, limit, start);
        let page = self.query(attempt, &query).await?;
        let read = |item| read_due(item).unwrap_or_else(Due::Unreadable);
        Ok(DuePage { items: page.items.iter().map(read).collect(), next: page.next })
    }

    /// Announces that an invitation's time is over. `false` when it is announced already, or changed.
    pub async fn announce_invitation(
        &self,
        attempt: OpContext,
        invitation: &Invitation,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let chain = event.chain_after(&invitation.chain.hash);
        let (_, due_at) = keys::due(invitation.invitation_id.as_str(), invitation.expires_at);
        let write = Write::update(
            keys::invitation(&invitation.invitation_id),
            "SET event_seq = :sequence, event_hash = :hash REMOVE gsi3pk, gsi3sk",
            "answer = :pending AND expires <= :now AND gsi3sk = :due_at AND event_seq = :before",
        )
        .text(":pending", PENDING)
        .text(":due_at", due_at)
        .value(":now", number(attempt.occurred_at.millis()))
        .value(":before", number(invitation.chain.sequence))
        .value(":sequence", number(chain.sequence))
        .value(":hash", bytes(&chain.hash));
        let writes = [((), write), ((), event::write(event, &chain))];
        Ok(matches!(self.transact(attempt, &writes).await?, Outcome::Committed))
    }

    /// Announces what was due of a grant then, and notes what comes next. `false` when it is announced already, or changed.
    pub async fn announce_grant(
        &self,
        attempt: OpContext,
        grant: &Grant,
        due: Timestamp,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let chain = event.chain_after(&grant.chain.hash);
        let key = keys::grant(&grant.customer, &grant.partner_id, &grant.grant_id);
        let next = grant.next_notice(due).map(|(at, _)| at);
        let set = match next {
            Some(_) => "SET event_seq = :sequence, event_hash = :hash, gsi3sk = :next",
            None => "SET event_seq = :sequence, event_hash = :hash REMOVE gsi3pk, gsi3sk",
        };
        let guard = "grant_state = :active AND gsi3sk = :due_at AND event_seq = :before";
        let mut write = Write::update(key.clone(), set, guard)
            .text(":active", "active")
            .text(":due_at", due.sortable())
            .value(":before", number(grant.chain.sequence))
            .value(":sequence", number(chain.sequence))
            .value(":hash", bytes(&chain.hash));
        if let Some(next) = next {
            write = write.text(":next", next.sortable());
        }
        let active = Write::check(
            keys::relationship(&grant.customer, &grant.partner_id),
            "relation = :active AND period = :period",
        )
        .text(":active", RelationshipState::Active.as_str())
        .text(":period", grant.period.as_str());
        let writes = [(false, write), (true, active), (false, event::write(event, &chain))];
        match self.transact(attempt, &writes).await? {
            Outcome::Committed => Ok(true),
            Outcome::Refused(refused) => {
                if refused.iter().any(|refusal| refusal.write) {
                    self.forget_due(attempt, grant, due).await?;
                }
                Ok(false)
            }
        }
    }

    /// A grant that ended with its relationship has nothing left to announce.
    async fn forget_due(&self, attempt: OpContext, grant: &Grant, due: Timestamp) -> Result<(), StoreError> {
        let key = keys::grant(&grant.customer, &grant.partner_id, &grant.grant_id);
        let forget = Write::update(key, "REMOVE gsi3pk, gsi3sk", "gsi3sk = :due_at").text(":due_at", due.sortable());
        self.transact(attempt, &[((), forget)]).await.map(|_| ())
    }
}

fn read_due(item: &Item) -> Result<Due, CorruptItem> {
    let reader = ItemReader::new(item)?;
    if reader.text(keys::PK)?.starts_with("INVITATION#") {
        return Ok(Due::Invitation(Box::new(read_invitation(item)?)));
    }
    let due = reader.parsed(keys::GSI3_SK, Timestamp::parse_sortable)?;
    Ok(Due::Grant(Box::new(read_grant(item)?), due))
}
