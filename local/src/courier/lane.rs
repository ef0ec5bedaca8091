//! The messages of one endpoint.

use std::collections::{BTreeMap, HashMap};

use domain::Timestamp;

use super::message::Received;

/// When a message becomes visible, and its id. Messages are received in this order.
pub type Place = (Timestamp, u64);

struct Message {
    body: String,
    /// The receipt of the last receive.
    receipt: Option<u64>,
}

#[derive(Default)]
pub struct Lane {
    messages: BTreeMap<Place, Message>,
    /// The message of each valid receipt.
    receipts: HashMap<u64, Place>,
    busy: bool,
}

impl Lane {
    pub fn put(&mut self, place: Place, body: String) {
        self.insert(place, Message { body, receipt: None });
    }

    /// Takes the first visible message, under a new receipt, and hides it until `hidden_until`.
    pub fn receive(&mut self, now: Timestamp, hidden_until: Timestamp, receipt: u64) -> Option<Received> {
        let ((_, id), message) = self.messages.first_entry().filter(|first| first.key().0 <= now)?.remove_entry();
        if let Some(old) = message.receipt {
            self.receipts.remove(&old);
        }
        let received = Received { id: id.to_string(), receipt: receipt.to_string(), body: message.body.clone() };
        self.insert((hidden_until, id), Message { receipt: Some(receipt), ..message });
        Some(received)
    }

    pub fn knows(&self, receipt: u64) -> bool {
        self.receipts.contains_key(&receipt)
    }

    /// Removes the message of a valid receipt.
    pub fn remove(&mut self, receipt: u64) {
        if let Some(place) = self.receipts.remove(&receipt) {
            self.messages.remove(&place);
        }
    }

    /// Hides the message of a valid receipt until then. `false` if the receipt is not valid.
    pub fn postpone(&mut self, receipt: u64, visible_at: Timestamp) -> bool {
        let message = self.receipts.remove(&receipt).and_then(|place| Some((place.1, self.messages.remove(&place)?)));
        let Some((id, message)) = message else { return false };
        self.insert((visible_at, id), message);
        true
    }

    pub fn first(&self) -> Option<Place> {
        self.messages.keys().next().copied()
    }

    pub fn len(&self) -> usize {
        self.messages.len()
    }

    pub fn is_busy(&self) -> bool {
        self.busy
    }

    pub fn set_busy(&mut self, busy: bool) {
        self.busy = busy;
    }

    /// Whether nothing is lost if the lane is removed.
    pub fn is_unused(&self) -> bool {
        self.messages.is_empty() && !self.busy
    }

    fn insert(&mut self, place: Place, message: Message) {
        if let Some(receipt) = message.receipt {
            self.receipts.insert(receipt, place);
        }
        self.messages.insert(place, message);
    }
}
