//! A subscription: an append-only record of what a partner sold. Nothing here changes one, and nothing anywhere may.

use serde_json::Value;

use super::event::{Chain, Event, EventType, Occurrence, Subject};
use super::{BillingCycle, Cloud, PartnerId, SubscriptionId, TenantId, Term, Timestamp, digest};

/// What a partner registers.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The partner's own id for it; the idempotency key of the registration.
    pub subscription_id: SubscriptionId,
    /// Who bought it.
    pub customer_tenant_id: TenantId,
    /// The service, for example `azure`.
    pub service: String,
    /// The offer in the partner's catalogue.
    pub offer_id: String,
    /// How many.
    pub quantity: u64,
    /// How often it is billed.
    pub billing_cycle: BillingCycle,
    /// How long it runs.
    pub term: Term,
    /// What the customer calls it.
    pub friendly_name: Option<String>,
}

impl Registration {
    /// SHA-256 over the canonical form (the id without case): equal registrations and no others are equal here.
    pub fn fingerprint(&self) -> [u8; 32] {
        let fields = [
            self.subscription_id.folded(),
            self.customer_tenant_id.to_string(),
            self.service.clone(),
            self.offer_id.clone(),
            self.quantity.to_string(),
            self.billing_cycle.to_string(),
            self.term.to_string(),
        ];
        let mut parts: Vec<&[u8]> = fields.iter().map(String::as_bytes).collect();
        parts.extend(self.friendly_name.as_ref().map(String::as_bytes));
        digest("registration", &parts)
    }
}

/// A registered subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// What was registered.
    pub registration: Registration,
    /// The cloud of customer and partner.
    pub cloud: Cloud,
    /// Who sold it, for ever (MP-34).
    pub partner_of_record: PartnerId,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// The policy it was registered under.
    pub policy_version: u32,
}

impl Subscription {
    /// The id among the aggregates: cloud and id without case, for that is what makes it unique.
    pub fn aggregate_id(cloud: Cloud, id: &SubscriptionId) -> String {
        format!("{cloud}#{}", id.folded())
    }

    /// Its one event.
    pub fn event<const N: usize>(&self, occurrence: Occurrence<'_>, data: [(&str, Value); N]) -> Event {
        let id = &self.registration.subscription_id;
        let subject = Subject {
            subscription_id: Some(id.clone()),
            partner_id: Some(self.partner_of_record.clone()),
            customer_tenant_id: Some(self.registration.customer_tenant_id.clone()),
            ..Subject::default()
        };
        let aggregate_id = Self::aggregate_id(self.cloud, id);
        Event::next(EventType::SubscriptionRegistered, aggregate_id, &Chain::default(), subject, occurrence, data)
    }
}
