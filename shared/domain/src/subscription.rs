//! A subscription: a record of what a partner sold. It is added once and never changed.

use serde_json::Value;

use super::{
    BillingCycle, Chain, Cloud, Date, Event, EventType, Occurrence, PartnerId, Subject, SubscriptionId, TenantId, Term,
    Timestamp, digest,
};

/// What a partner registers.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Also the idempotency key of the registration.
    pub subscription_id: SubscriptionId,
    pub customer_tenant_id: TenantId,
    /// The service, for example `azure`.
    pub service: String,
    /// The offer in the partner's catalog.
    pub offer_id: String,
    pub quantity: u64,
    pub billing_cycle: BillingCycle,
    pub term: Term,
    pub friendly_name: Option<String>,
    /// The partner's own reference. Customers do not see it.
    pub external_reference: Option<String>,
    /// When the subscription started, as the partner states.
    pub started_on: Option<Date>,
}

impl Registration {
    /// SHA-256 over all members, with the id in lower case. Two registrations are equal if their fingerprints are.
    pub fn fingerprint(&self) -> [u8; 32] {
        let fields = [
            self.subscription_id.folded(),
            self.customer_tenant_id.to_string(),
            self.service.clone(),
            self.offer_id.clone(),
            self.quantity.to_string(),
            self.billing_cycle.to_string(),
            self.term.to_string(),
            // No text is empty, so an absent one differs from all others.
            self.friendly_name.clone().unwrap_or_default(),
            self.external_reference.clone().unwrap_or_default(),
            self.started_on.as_ref().map(ToString::to_string).unwrap_or_default(),
        ];
        let parts: Vec<&[u8]> = fields.iter().map(String::as_bytes).collect();
        digest("registration", &parts)
    }
}

/// A registered subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub registration: Registration,
    /// The cloud of the customer and the partner.
    pub cloud: Cloud,
    /// Never changes (MP-34).
    pub partner_of_record: PartnerId,
    pub registered_at: Timestamp,
    /// The version of the policy under which it was registered.
    pub policy_version: u32,
}

impl Subscription {
    /// The id of its record: cloud and id in lower case, which together are unique.
    pub fn aggregate_id(cloud: Cloud, id: &SubscriptionId) -> String {
        format!("{cloud}#{}", id.folded())
    }

    /// Its only event.
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
