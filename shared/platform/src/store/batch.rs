//! Registering several subscriptions of one customer in one transaction. It is all or nothing, so what is registered already is
//! left out, and the rest is sent again.

use super::customer::CustomerRequirements;
use super::error::StoreError;
use super::item::Item;
use super::keys::{self, Key};
use super::op_context::OpContext;
use super::record::Recorded;
use super::subscription::{active_relationship, read_subscription, subscription_item};
use super::table::Store;
use super::transact::Outcome;
use super::write::Write;
use domain::{Event, Subscription};

/// The result of a batch.
#[derive(Clone, Debug)]
pub struct Batch {
    /// In the order of the batch.
    pub items: Vec<InBatch>,
    /// Why none of them could be registered. What was registered before is still found.
    pub blocked: Option<Blocked>,
}

/// What became of one subscription of a batch.
#[derive(Clone, Debug)]
pub enum InBatch {
    New,
    /// The id was registered before, perhaps by another partner or with other details.
    Exists(Box<Existing>),
    /// It is not registered, because the batch is blocked.
    Blocked,
}

/// A registered subscription with the id of one in a batch.
#[derive(Clone, Debug)]
pub struct Existing {
    pub subscription: Subscription,
    fingerprint: [u8; 32],
}

/// What makes every registration for a customer impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    NoRelationship,
    CspTenant,
}

impl Existing {
    fn read(item: &Item) -> Result<Self, StoreError> {
        let (subscription, fingerprint) = read_subscription(item)?;
        Ok(Self { subscription, fingerprint })
    }

    /// Whether it is the same partner's, with the same details.
    pub fn is_same(&self, other: &Subscription) -> bool {
        self.subscription.partner_of_record == other.partner_of_record
            && self.fingerprint == other.registration.fingerprint()
    }
}

impl Store {
    /// Registers what can be registered. The subscriptions have different ids, and one partner and customer. A transaction has at
    /// most 100 items and 4 MiB: 40 subscriptions are 82 items, and their texts are limited to a few KB each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn register_batch(
        &self,
        op: OpContext,
        batch: &[(Subscription, Event)],
        requirements: CustomerRequirements,
    ) -> Result<Batch, StoreError> {
        let mut found: Vec<Option<InBatch>> = vec![None; batch.len()];
        while let Some(left) = left_of(batch, &found) {
            let outcome = self.transact(op, &self.batch_writes(&left, requirements)?).await?;
            for (at, subscription, _) in &left {
                found[*at] = match outcome.conflicting(&key_of(subscription)) {
                    _ if outcome.is_committed() => Some(InBatch::New),
                    Some(item) => Some(InBatch::Exists(Box::new(Existing::read(item)?))),
                    None => None,
                };
            }
            if let Some(blocked) = left.first().and_then(|(_, first, _)| blocked_by(&outcome, first)) {
                return self.blocked_batch(op, batch, found, blocked).await;
            }
            // Each round takes at least one away. Otherwise it was an event, which only another write can explain.
            if left_of(batch, &found).is_some_and(|still| still.len() == left.len()) {
                return Err(StoreError::Contention);
            }
        }
        Ok(Batch { items: found.into_iter().flatten().collect(), blocked: None })
    }

    /// All subscriptions, then the checks, then all events. So the first item is a subscription, as for a single registration.
    fn batch_writes(&self, left: &[Left<'_>], requirements: CustomerRequirements) -> Result<Vec<Write>, StoreError> {
        let recorded: Result<Vec<_>, _> =
            left.iter().map(|(_, subscription, event)| self.begin(event, subscription_item(subscription))).collect();
        let (records, events): (Vec<_>, Vec<_>) =
            recorded?.into_iter().map(|Recorded { record, event, .. }| (record, event)).unzip();
        let checks = left.first().map(|(_, first, _)| {
            [active_relationship(first), requirements.csp_guard(&first.registration.customer_tenant_id)]
        });
        Ok(records.into_iter().chain(checks.into_iter().flatten()).chain(events).collect())
    }

    /// The same batch may have been committed before, or meanwhile. What is registered is a replay, although nothing can be
    /// registered now.
    async fn blocked_batch(
        &self,
        op: OpContext,
        batch: &[(Subscription, Event)],
        mut found: Vec<Option<InBatch>>,
        blocked: Blocked,
    ) -> Result<Batch, StoreError> {
        let left = left_of(batch, &found).unwrap_or_default();
        let wanted: Vec<Key> = left.iter().map(|(_, subscription, _)| key_of(subscription)).collect();
        let items = self.get_many(op, &wanted, true).await?;
        for ((at, ..), item) in left.iter().zip(items) {
            let existing = item.as_ref().map(Existing::read).transpose()?;
            found[*at] = Some(existing.map_or(InBatch::Blocked, |existing| InBatch::Exists(Box::new(existing))));
        }
        Ok(Batch { items: found.into_iter().flatten().collect(), blocked: Some(blocked) })
    }
}

/// A subscription that is not registered yet, with its position and its event.
type Left<'a> = (usize, &'a Subscription, &'a Event);

/// `None` if nothing is left.
fn left_of<'a>(batch: &'a [(Subscription, Event)], found: &[Option<InBatch>]) -> Option<Vec<Left<'a>>> {
    let all = batch.iter().zip(found).enumerate();
    let left = all.filter(|(_, (_, found))| found.is_none());
    let left: Vec<_> = left.map(|(at, ((subscription, event), _))| (at, subscription, event)).collect();
    (!left.is_empty()).then_some(left)
}

fn key_of(subscription: &Subscription) -> Key {
    keys::subscription(subscription.cloud, &subscription.registration.subscription_id)
}

fn blocked_by(outcome: &Outcome, first: &Subscription) -> Option<Blocked> {
    let customer = &first.registration.customer_tenant_id;
    if outcome.refusal(&keys::relationship(customer, &first.partner_of_record)).is_some() {
        return Some(Blocked::NoRelationship);
    }
    outcome.refusal(&keys::tenant(customer)).map(|_| Blocked::CspTenant)
}
