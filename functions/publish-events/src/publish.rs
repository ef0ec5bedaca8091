//! One item that waits: its deliveries are begun, their tickets put into the queue, then its mark is taken off (a delivery's is
//! replaced by the one by which its ticket would be missed). Every step may be repeated without harm.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use domain::clock_budget::EVENT_LATENESS;
use domain::{Delivery, DeliveryPurpose, DeliveryState, Endpoint, EndpointState, Event, EventType, Owner};
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use platform::handler::App;
use platform::handler::views::{event_message, other_message};
use platform::lambda::RunBudget;
use platform::queue::Ticket;
use platform::store::{Marked, Outgoing, StoreError};
use serde_json::Value;

/// The longest message, in bytes.
const MESSAGE_MAX: usize = 20 * 1024;

/// Why something was not published.
#[derive(Debug)]
enum Fault {
    /// A failure that may pass.
    Failure(Failure),
    /// Nobody can ever publish it.
    Poison(String),
}

/// A failure that may pass.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt(fault) => Self::Poison(fault.to_string()),
            error => Self::Failure(error.into()),
        }
    }
}

/// Publishes the items of one run.
pub(crate) struct Publisher<'a> {
    app: &'a App,
    time: RunBudget,
    /// Endpoints as they were when this run first needed them: whatever is published now was committed before.
    endpoints: BTreeMap<Owner, Vec<Endpoint>>,
}

impl<'a> Publisher<'a> {
    pub(crate) fn new(app: &'a App, time: RunBudget) -> Self {
        Self { app, time, endpoints: BTreeMap::new() }
    }

    /// Publishes an item. One that can't be published ever is noted, and waits no more.
    pub(crate) async fn publish(&mut self, marked: &Marked) -> Result<(), Failure> {
        let publishing = AssertUnwindSafe(self.send_out(marked)).catch_unwind().await;
        match publishing.unwrap_or_else(|_| Err(Fault::Poison("publishing it panicked".into()))) {
            Ok(()) => {}
            Err(Fault::Poison(reason)) => self.note_poison(&marked.name(), &reason).await?,
            Err(Fault::Failure(failure)) => return Err(failure),
        }
        Ok(self.app.store.unmark(self.time.op(self.app), marked).await?)
    }

    /// Puts tickets for deliveries into the queue, all at once: where one receiver was down, many are due together.
    pub(crate) async fn make_tickets(&self, deliveries: &[Marked]) -> Result<(), Failure> {
        self.send(deliveries.iter().filter_map(Marked::delivery).map(Ticket::from).collect()).await?;
        let attempt = self.time.op(self.app);
        try_join_all(deliveries.iter().map(|marked| self.app.store.unmark(attempt, marked))).await?;
        Ok(())
    }

    /// A record that names no item.
    pub(crate) async fn refuse_record(&self, record: &Value) -> Result<(), Failure> {
        let named = record["dynamodb"]["SequenceNumber"].as_str().unwrap_or("without number");
        self.note_poison(&format!("stream record {named}"), "the record names no item").await
    }

    /// The log line is what the alarm looks for.
    async fn note_poison(&self, named: &str, reason: &str) -> Result<(), Failure> {
        tracing::error!(poison = true, named, reason, "this can not be published");
        Ok(self.app.store.note_poison(self.time.op(self.app), named, reason).await?)
    }

    async fn send_out(&mut self, marked: &Marked) -> Result<(), Fault> {
        match &marked.what {
            Outgoing::Event(event) => {
                let message = event_message(event).map_err(Failure::from)?;
                if message.len() > MESSAGE_MAX {
                    return Err(Fault::Poison(format!("its message has {} bytes", message.len())));
                }
                self.tell(event, &message).await?;
                self.follow_up(event).await?;
            }
            Outgoing::Delivery(delivery) => self.send(vec![Ticket::from(delivery.as_ref())]).await?,
            Outgoing::Unreadable(error) => return Err(Fault::Poison(error.to_string())),
        }
        Ok(())
    }

    /// Begins a delivery of the event for each endpoint that wants it.
    async fn tell(&mut self, event: &Event, message: &[u8]) -> Result<(), Fault> {
        let mut deliveries = Vec::new();
        for owner in Owner::recipients_of(event) {
            let now = self.app.clock.now();
            let wanting = self.endpoints_of(&owner).await?.iter().filter(|endpoint| endpoint.wants(event));
            deliveries.extend(wanting.map(|endpoint| {
                let id = endpoint.endpoint_id.clone();
                Delivery::new(event.event_id().into(), id, owner.clone(), DeliveryPurpose::Event, now)
            }));
        }
        Ok(self.begin(message, &deliveries).await?)
    }

    async fn endpoints_of(&mut self, owner: &Owner) -> Result<&[Endpoint], Failure> {
        if !self.endpoints.contains_key(owner) {
            let (found, unreadable) = self.app.store.endpoints_of(self.time.op(self.app), owner).await?;
            // Nobody else has to wait until somebody mends it; what it missed is in its owner's feed.
            for fault in unreadable {
                self.note_poison(&format!("{} / {}", fault.pk, fault.sk), &fault.to_string()).await?;
            }
            self.endpoints.insert(owner.clone(), found);
        }
        Ok(self.endpoints.get(owner).map(Vec::as_slice).unwrap_or_default())
    }

    async fn begin(&self, message: &[u8], deliveries: &[Delivery]) -> Result<(), Failure> {
        if deliveries.is_empty() {
            return Ok(());
        }
        self.app.store.begin_deliveries(self.time.op(self.app), message, deliveries).await?;
        self.send(deliveries.iter().map(Ticket::from).collect()).await
    }

    async fn send(&self, tickets: Vec<Ticket>) -> Result<(), Failure> {
        Ok(self.app.queue()?.send(tickets).await?)
    }

    /// What an endpoint's own events call for, besides being told of.
    async fn follow_up(&self, event: &Event) -> Result<(), Fault> {
        match event.event_type {
            EventType::EndpointCreated | EventType::EndpointUpdated
                if event.data.get("state").and_then(Value::as_str) == Some(EndpointState::Pending.as_str()) =>
            {
                self.challenge(event).await
            }
            EventType::EndpointActivated => self.release(event).await,
            _ => Ok(()),
        }
    }

    /// Asks an endpoint that became pending whether anybody is there.
    async fn challenge(&self, event: &Event) -> Result<(), Fault> {
        let Some(endpoint) = self.endpoint_of(event).await? else { return Ok(()) };
        if endpoint.state != EndpointState::Pending {
            return Ok(());
        }
        let id = endpoint.challenge_id(event.sequence);
        let message = other_message(DeliveryPurpose::Challenge, &id, &endpoint.endpoint_id, event.occurred_at);
        let message = message.map_err(Failure::from)?;
        let now = self.app.clock.now();
        let (purpose, owner) = (DeliveryPurpose::Challenge, endpoint.owner);
        Ok(self.begin(&message, &[Delivery::new(id.into(), endpoint.endpoint_id, owner, purpose, now)]).await?)
    }

    /// Sends on what waited for an endpoint to be active, as far as time goes: the sweep brings the rest, only later.
    async fn release(&self, event: &Event) -> Result<(), Fault> {
        let Some(endpoint) = self.endpoint_of(event).await? else { return Ok(()) };
        let mut start = None;
        while self.time.is_left() {
            let attempt = self.time.op(self.app);
            // Clocks differ a little.
            let since = endpoint.pending_since - EVENT_LATENESS;
            let waiting = &[DeliveryState::Pending];
            let id = &endpoint.endpoint_id;
            let page = self.app.store.deliveries_since(attempt, id, since, waiting, start).await?;
            self.send(page.deliveries.iter().map(Ticket::from).collect()).await?;
            start = page.next;
            if start.is_none() {
                break;
            }
        }
        Ok(())
    }

    async fn endpoint_of(&self, event: &Event) -> Result<Option<Endpoint>, StoreError> {
        let (Some(owner), Some(id)) = (Owner::recipients_of(event).next(), &event.subject.endpoint_id) else {
            return Ok(None);
        };
        self.app.store.endpoint(self.time.op(self.app), &owner, id).await
    }
}
