//! Releasing deliveries that waited for their recipient.

use super::delivery::{key_of, read_delivery, update_pending};
use super::error::StoreError;
use super::item::number;
use super::keys::Mark;
use super::op_context::OpContext;
use super::outbox::Marked;
use super::table::Store;
use domain::{Delivery, DeliveryState, Period};

/// How often a delivery that changes meanwhile is read again. Each attempt changes it twice.
const TRIES: usize = 4;

impl Store {
    /// Makes a delivery due that waited for its recipient, and marks it as waiting to be published. An attempt that began in
    /// an earlier period is void. Returns `None` if the delivery is finished, or was released in this period.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn release(
        &self,
        op: OpContext,
        delivery: &Delivery,
        period: Period,
    ) -> Result<Option<Marked>, StoreError> {
        let key = key_of(delivery);
        let mark = Mark::outbox(&key, op.occurred_at);
        let mut waiting = delivery.clone();
        for _ in 0..TRIES {
            if waiting.state != DeliveryState::Pending || waiting.period == Some(period) {
                return Ok(None);
            }
            let released = Delivery { round: waiting.round + 1, next_at: Some(op.occurred_at), ..waiting.clone() };
            let write = update_pending(&waiting)
                .set("round = :next, next_at = :now, period = :period, gsi3pk = :partition, gsi3sk = :entry")
                .value(":next", number(released.round))
                .value(":now", number(op.occurred_at.millis()))
                .text(":period", period.to_text())
                .text(":partition", &mark.partition)
                .text(":entry", &mark.entry);
            let outcome = self.transact(op, &[write]).await?;
            if outcome.is_committed() {
                return Ok(Some(Marked::delivery_of(key, mark, released)));
            }
            // The index was behind.
            let Some(current) = outcome.conflicting(&key) else { return Ok(None) };
            waiting = read_delivery(current)?;
        }
        Err(StoreError::Contention)
    }
}
