//! Subscriptions. There is one way to write one, and its guard is that there is none: no code here or anywhere else
//! updates, replaces or deletes a subscription.

use super::item::{CorruptItem, Item, ItemBuilder, ItemReader};
use super::keys::{self, Listed};
use super::terms::{CustomerRequirements, tenant_guard};
use super::transact::Outcome;
use super::write::Write;
use super::{OpContext, Store, StoreError, event};
use domain::{
    BillingCycle, Chain, Cloud, Event, PartnerId, Registration, RelationshipState, Subscription, SubscriptionId,
    TenantId, Term,
};

/// What became of a subscription to be registered.
#[derive(Clone, Debug)]
pub enum Registering {
    /// It is registered.
    New,
    /// This partner registered the same before; its record.
    Before(Box<Subscription>),
    /// Partner and customer have no active relationship.
    NoRelationship,
    /// The customer has become a CSP tenant.
    CspTenant,
    /// The id is taken.
    Exists,
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Subscription,
    Relationship,
    Tenant,
    Event,
}

impl Store {
    /// A subscription, as it was registered.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub async fn subscription(
        &self,
        attempt: OpContext,
        cloud: Cloud,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>, StoreError> {
        let item = self.get(attempt, &keys::subscription(cloud, id)).await?;
        Ok(item.as_ref().map(|item| read_subscription(item).map(|(subscription, _)| subscription)).transpose()?)
    }

    /// Registers a subscription.
    pub async fn register_subscription(
        &self,
        attempt: OpContext,
        subscription: &Subscription,
        terms: CustomerRequirements,
        event: &Event,
    ) -> Result<Registering, StoreError> {
        let (customer, partner) = (&subscription.registration.customer_tenant_id, &subscription.partner_of_record);
        let chain = event.chain_after(&[0; 32]);
        let active = Write::check(keys::relationship(customer, partner), "relation = :active");
        let writes = [
            (Step::Subscription, Write::create(subscription_item(subscription, chain))),
            (Step::Relationship, active.text(":active", RelationshipState::Active.as_str())),
            (Step::Tenant, tenant_guard(customer, terms)),
            (Step::Event, event::write(event, &chain)),
        ];
        let refused = match self.transact(attempt, &writes).await? {
            Outcome::Committed => return Ok(Registering::New),
            Outcome::Refused(refused) => refused,
        };
        let refusal = |step: Step| refused.iter().find(|refusal| refusal.write == step);
        let key = keys::subscription(subscription.cloud, &subscription.registration.subscription_id);
        let taken = match refusal(Step::Subscription).and_then(|refusal| refusal.item.clone()) {
            Some(item) => Some(item),
            // The twin of this request may have been committed since.
            None => self.get(attempt, &key).await?,
        };
        if let Some(item) = &taken {
            let (before, fingerprint) = read_subscription(item)?;
            if before.partner_of_record == *partner && fingerprint == subscription.registration.fingerprint() {
                return Ok(Registering::Before(Box::new(before)));
            }
        }
        Ok(if refusal(Step::Relationship).is_some() {
            Registering::NoRelationship
        } else if refusal(Step::Tenant).is_some() {
            Registering::CspTenant
        } else if taken.is_some() {
            Registering::Exists
        } else {
            return Err(StoreError::Contention);
        })
    }
}

fn subscription_item(subscription: &Subscription, chain: Chain) -> Item {
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
        .time("registered", subscription.registered_at)
        .number("policy", subscription.policy_version)
        .hash("fingerprint", &registration.fingerprint())
        .chain(chain)
        .text(keys::GSI1_PK, keys::partner_view(&subscription.partner_of_record))
        .text(keys::GSI2_PK, keys::customer_view(&registration.customer_tenant_id))
        .text(keys::LISTED, Listed::Subscription.at(subscription.registered_at))
        .build()
}

/// Reads a subscription's item, and the fingerprint of its registration. Partner of record and customer are known from
/// the views it is listed in.
pub(super) fn read_subscription(item: &Item) -> Result<(Subscription, [u8; 32]), CorruptItem> {
    let reader = ItemReader::new(item)?;
    let registration = Registration {
        subscription_id: reader.parsed("subscription", SubscriptionId::parse)?,
        customer_tenant_id: reader.parsed(keys::GSI2_PK, |pk| TenantId::parse(pk.strip_prefix("CUSTOMER#")?))?,
        service: reader.text("service")?.to_owned(),
        offer_id: reader.text("offer")?.to_owned(),
        quantity: reader.number("quantity")?,
        billing_cycle: reader.parsed("billing", BillingCycle::parse)?,
        term: reader.parsed("term", Term::parse)?,
        friendly_name: reader.maybe_text("friendly_name")?.map(str::to_owned),
    };
    let subscription = Subscription {
        registration,
        cloud: reader.parsed("cloud", Cloud::parse)?,
        partner_of_record: reader.parsed(keys::GSI1_PK, |pk| PartnerId::parse(pk.strip_prefix("PARTNER#")?))?,
        registered_at: reader.time("registered")?,
        policy_version: reader.number("policy")?,
    };
    Ok((subscription, reader.hash("fingerprint")?))
}
