//! Subscriptions. The only write is a Put that requires that there is none: no code updates, replaces or deletes one.

use super::customer::CustomerRequirements;
use super::error::StoreError;
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader};
use super::keys::{self, Listed};
use super::op_context::OpContext;
use super::table::Store;
use super::write::Write;
use domain::{BillingCycle, Cloud, Date, Event, Registration, RelationshipState, Subscription, SubscriptionId, Term};

/// The result of registering a subscription.
#[derive(Clone, Debug)]
pub enum Registering {
    New,
    /// This partner registered the same subscription before, with the same details.
    AlreadyExists(Box<Subscription>),
    /// Partner and customer have no active relationship.
    NoRelationship,
    /// The customer has become a CSP tenant.
    CspTenant,
    /// The id is used by another registration.
    IdTaken,
}

impl Store {
    /// A subscription, as it was registered.
    ///
    /// # Errors
    /// [`StoreError`], in both methods here.
    pub async fn subscription(
        &self,
        op: OpContext,
        cloud: Cloud,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>, StoreError> {
        let item = self.get(op, &keys::subscription(cloud, id)).await?;
        Ok(item.as_ref().map(|item| read_subscription(item).map(|(subscription, _)| subscription)).transpose()?)
    }

    pub async fn register_subscription(
        &self,
        op: OpContext,
        subscription: &Subscription,
        requirements: CustomerRequirements,
        event: &Event,
    ) -> Result<Registering, StoreError> {
        let Subscription { registration, partner_of_record: partner, cloud, .. } = subscription;
        let customer = &registration.customer_tenant_id;
        let own = keys::subscription(*cloud, &registration.subscription_id);
        let relationship = keys::relationship(customer, partner);
        let recorded = self.begin(event, subscription_item(subscription))?;
        let writes =
            [recorded.record, active_relationship(subscription), requirements.csp_guard(customer), recorded.event];
        let outcome = self.transact(op, &writes).await?;
        if outcome.is_committed() {
            return Ok(Registering::New);
        }
        let existing = match outcome.conflicting(&own) {
            Some(item) => Some(item.clone()),
            // The same request may have been committed meanwhile.
            None => self.get(op, &own).await?,
        };
        if let Some(item) = &existing {
            let (before, fingerprint) = read_subscription(item)?;
            if before.partner_of_record == *partner && fingerprint == registration.fingerprint() {
                return Ok(Registering::AlreadyExists(Box::new(before)));
            }
        }
        if outcome.refusal(&relationship).is_some() {
            Ok(Registering::NoRelationship)
        } else if outcome.refusal(&keys::tenant(customer)).is_some() {
            Ok(Registering::CspTenant)
        } else if existing.is_some() {
            Ok(Registering::IdTaken)
        } else {
            Err(StoreError::Contention)
        }
    }
}

/// Checks that the partner and the customer have an active relationship.
pub(super) fn active_relationship(subscription: &Subscription) -> Write {
    let customer = &subscription.registration.customer_tenant_id;
    Write::check(keys::relationship(customer, &subscription.partner_of_record), "relation = :active")
        .text(":active", RelationshipState::Active.as_str())
}

pub(super) fn subscription_item(subscription: &Subscription) -> Item {
    let registration = &subscription.registration;
    ItemBuilder::new(keys::subscription(subscription.cloud, &registration.subscription_id))
        .text("subscription", registration.subscription_id.as_str())
        .text("cloud", subscription.cloud.as_str())
        .text("service", &registration.service)
        .text("offer", &registration.offer_id)
        .number("quantity", registration.quantity)
        .text("billing", registration.billing_cycle.as_str())
        .text("term", registration.term.as_str())
        .maybe_text("friendly_name", registration.friendly_name.as_ref())
        .maybe_text("external_reference", registration.external_reference.as_ref())
        .maybe_text("started_on", registration.started_on.as_ref().map(Date::as_str))
        .time("registered", subscription.registered_at)
        .number("policy", subscription.policy_version)
        .hash("fingerprint", &registration.fingerprint())
        .text(keys::GSI1_PK, keys::partner_view(&subscription.partner_of_record))
        .text(keys::GSI2_PK, keys::customer_view(&registration.customer_tenant_id))
        .text(keys::LISTED, Listed::Subscription.at(subscription.registered_at))
        .build()
}

/// Returns the subscription and the fingerprint of its registration. Partner of record and customer follow from the views
/// in which it is listed.
pub(super) fn read_subscription(item: &Item) -> Result<(Subscription, [u8; 32]), CorruptItem> {
    let reader = ItemReader::new(item)?;
    let registration = Registration {
        subscription_id: reader.parsed("subscription", SubscriptionId::parse)?,
        customer_tenant_id: reader.parsed(keys::GSI2_PK, keys::parse_customer_view)?,
        service: reader.text("service")?.to_owned(),
        offer_id: reader.text("offer")?.to_owned(),
        quantity: reader.number("quantity")?,
        billing_cycle: reader.parsed("billing", BillingCycle::parse)?,
        term: reader.parsed("term", Term::parse)?,
        friendly_name: reader.maybe_text("friendly_name")?.map(str::to_owned),
        external_reference: reader.maybe_text("external_reference")?.map(str::to_owned),
        started_on: reader.maybe_parsed("started_on", Date::parse)?,
    };
    let subscription = Subscription {
        registration,
        cloud: reader.parsed("cloud", Cloud::parse)?,
        partner_of_record: reader.parsed(keys::GSI1_PK, keys::parse_partner_view)?,
        registered_at: reader.time("registered")?,
        policy_version: reader.number("policy")?,
    };
    Ok((subscription, reader.hash("fingerprint")?))
}
