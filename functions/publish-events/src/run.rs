//! One run of the job: what every step of it uses.

use std::collections::BTreeMap;

use domain::{Delivery, DeliveryPurpose, Endpoint, Event, Owner};
use futures_util::future::try_join_all;
use platform::lambda::{JobError, RunBudget};
use platform::metrics;
use platform::queue::{QueueError, Ticket};
use platform::store::{Marked, OpContext};
use serde_json::Value;

use crate::fault::{Fault, Poison};
use crate::publisher::Publisher;

/// Which endpoints an event was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    All,
    /// There is an endpoint that only newer code can read.
    Known,
}

/// An owner's endpoints, and whether they are all.
type Known = (Vec<Endpoint>, Reach);

pub(crate) struct Run<'a> {
    pub(crate) publisher: &'a Publisher,
    pub(crate) budget: RunBudget,
    /// Endpoints as they were when this run first needed them. Every event of this run was committed before that.
    endpoints: BTreeMap<Owner, Known>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(publisher: &'a Publisher, budget: RunBudget) -> Self {
        Self { publisher, budget, endpoints: BTreeMap::new() }
    }

    pub(crate) fn op(&self) -> OpContext {
        self.budget.op(self.publisher.clock.now())
    }

    /// Sends tickets for deliveries, all at once: after a receiver was down, many deliveries are due together.
    pub(crate) async fn make_tickets(&self, deliveries: &[Marked]) -> Result<(), JobError> {
        self.send(deliveries.iter().filter_map(Marked::delivery).map(Ticket::from).collect()).await?;
        let op = self.op();
        try_join_all(deliveries.iter().map(|marked| self.publisher.store.unmark(op, marked))).await?;
        Ok(())
    }

    /// Notes a stream record without an item key.
    pub(crate) async fn reject_record(&self, record: &Value) -> Result<(), JobError> {
        let number = record["dynamodb"]["SequenceNumber"].as_str().unwrap_or("without number");
        self.note_poison(&format!("stream record {number}"), &Poison::NoKey).await
    }

    pub(crate) async fn note_poison(&self, named: &str, poison: &Poison) -> Result<(), JobError> {
        metrics::poison(named, poison);
        Ok(self.publisher.store.note_poison(self.op(), named, &poison.to_string()).await?)
    }

    /// Starts a delivery of the event for each endpoint that wants it.
    pub(crate) async fn deliver_event(&mut self, event: &Event, message: &[u8]) -> Result<Reach, Fault> {
        let (mut deliveries, mut reach) = (Vec::new(), Reach::All);
        for owner in Owner::recipients_of(event) {
            let now = self.publisher.clock.now();
            let Some((endpoints, known)) = self.endpoints_of(&owner).await? else { continue };
            if *known == Reach::Known {
                reach = Reach::Known;
            }
            let interested = endpoints.iter().filter(|endpoint| endpoint.wants(event));
            deliveries.extend(interested.map(|endpoint| {
                let id = endpoint.endpoint_id.clone();
                Delivery::new(event.event_id().into(), id, owner.clone(), DeliveryPurpose::Event, now)
            }));
        }
        self.begin(message, &deliveries).await?;
        Ok(reach)
    }

    async fn endpoints_of(&mut self, owner: &Owner) -> Result<Option<&Known>, Fault> {
        if !self.endpoints.contains_key(owner) {
            let (found, unreadable) = self.publisher.store.endpoints_of(self.op(), owner).await?;
            // Other endpoints do not wait until an unreadable one is repaired. Its owner finds the events in the feed.
            let mut reach = Reach::All;
            for item in unreadable {
                if item.is_newer {
                    item.report();
                    reach = Reach::Known;
                } else {
                    self.note_poison(&item.name(), &item.into()).await?;
                }
            }
            self.endpoints.insert(owner.clone(), (found, reach));
        }
        Ok(self.endpoints.get(owner))
    }

    /// Stores deliveries of a message and sends their tickets.
    pub(crate) async fn begin(&self, message: &[u8], deliveries: &[Delivery]) -> Result<(), Fault> {
        if deliveries.is_empty() {
            return Ok(());
        }
        self.publisher.store.begin_deliveries(self.op(), message, deliveries).await?;
        Ok(self.send(deliveries.iter().map(Ticket::from).collect()).await?)
    }

    pub(crate) async fn send(&self, tickets: Vec<Ticket>) -> Result<(), QueueError> {
        self.publisher.queue.send(tickets).await
    }
}
