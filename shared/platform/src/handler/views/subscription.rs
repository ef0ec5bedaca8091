use domain::{
    BillingCycle, Date, PartnerId, RegistrationOutcome, Subscription, SubscriptionId, TenantId, Term, Timestamp,
};

use super::ProblemView;
use crate::http_api::Problem;

crate::views! {
    pub struct SubscriptionView {
        pub subscription_id: SubscriptionId,
        pub customer_tenant_id: TenantId,
        /// The service, for example `azure`.
        pub service: String,
        /// The offer in the partner's catalog.
        pub offer_id: String,
        pub quantity: u64,
        pub billing_cycle: BillingCycle,
        /// ISO 8601 duration.
        pub term: Term,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub friendly_name: Option<String>,
        /// The partner's own reference. Only the partner and the operator see it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub external_reference: Option<String>,
        /// When the subscription started, as the partner states.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub started_on: Option<Date>,
        /// The partner that registered the subscription.
        pub partner_of_record: PartnerId,
        pub registered_at: Timestamp,
        /// The version of the policy under which the subscription was registered.
        pub policy_version: u32,
    }

    pub struct SubscriptionResponse {
        pub subscription: SubscriptionView,
    }

    /// What became of one subscription of a batch.
    pub struct RegistrationResultView {
        pub subscription_id: SubscriptionId,
        pub outcome: RegistrationOutcome,
        /// The record, unless it was refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub subscription: Option<SubscriptionView>,
        /// Why it was refused: what a registration of this subscription alone returns.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub problem: Option<ProblemView>,
    }

    pub struct RegistrationResultsView {
        /// One result for each subscription, in the order in which they were sent.
        pub results: Vec<RegistrationResultView>,
    }
}

impl RegistrationResultView {
    /// `outcome` says whether it is new.
    pub fn registered(subscription: &Subscription, sent: SubscriptionId, outcome: RegistrationOutcome) -> Self {
        let subscription = Some(SubscriptionView::new(subscription));
        Self { subscription_id: sent, outcome, subscription, problem: None }
    }

    pub fn refused(sent: SubscriptionId, problem: &Problem, request_id: &str) -> Self {
        let problem = Some(ProblemView::new(problem, request_id));
        Self { subscription_id: sent, outcome: RegistrationOutcome::Refused, subscription: None, problem }
    }
}

impl SubscriptionView {
    pub fn new(subscription: &Subscription) -> Self {
        let registration = subscription.registration.clone();
        Self {
            subscription_id: registration.subscription_id,
            customer_tenant_id: registration.customer_tenant_id,
            service: registration.service,
            offer_id: registration.offer_id,
            quantity: registration.quantity,
            billing_cycle: registration.billing_cycle,
            term: registration.term,
            friendly_name: registration.friendly_name,
            external_reference: registration.external_reference,
            started_on: registration.started_on,
            partner_of_record: subscription.partner_of_record.clone(),
            registered_at: subscription.registered_at,
            policy_version: subscription.policy_version,
        }
    }
}

impl SubscriptionView {
    /// As its customer sees it.
    pub fn for_customer(subscription: &Subscription) -> Self {
        Self { external_reference: None, ..Self::new(subscription) }
    }
}

impl SubscriptionResponse {
    pub fn new(subscription: &Subscription) -> Self {
        Self { subscription: SubscriptionView::new(subscription) }
    }
}
