//! The body of a registration, and the subscription and event that come of it.

use domain::{
    BillingCycle, Date, Event, Occurrence, Partner, PartnerId, Registration, Subscription, SubscriptionId, TenantId,
    Term, Timestamp,
};
use platform::handler::WebhookData;
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::shape::{self, AnyText, OneOf, Parsed, Whole};
use platform::http_api::{Code, InvalidField, Problem};
use serde_json::json;

/// `{subscription_id, customer_tenant_id, service, offer_id, quantity, billing_cycle, term, friendly_name?,
/// external_reference?, started_on?, partner_of_record?}`
pub(crate) struct RegistrationBody {
    registration: Registration,
    partner_of_record: Option<String>,
}

impl Body for RegistrationBody {
    const NAME: &'static str = "RegistrationRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let limits = &rules.policy.limits;
        let subscription_id = reader.required("subscription_id", subscription_id());
        let customer = reader.required("customer_tenant_id", shape::tenant_id());
        let service = reader.required("service", shape::line(limits.name_characters));
        let offer_id = reader.required("offer_id", shape::line(limits.name_characters));
        let quantity = reader.required("quantity", Whole { least: 1, most: limits.quantity_max });
        let billing_cycle =
            reader.required("billing_cycle", OneOf { all: BillingCycle::ALL, as_str: BillingCycle::as_str });
        let term = reader.required("term", OneOf { all: Term::ALL, as_str: Term::as_str });
        let friendly_name = reader.optional("friendly_name", shape::line(limits.name_characters));
        let external_reference =
            reader.optional("external_reference", shape::line(limits.external_reference_characters));
        let started_on = reader.optional("started_on", date());
        let partner_of_record = reader.optional("partner_of_record", AnyText);
        if let (Some(cycle), Some(term)) = (billing_cycle, term)
            && !cycle.fits(term)
        {
            let detail = "a billing cycle that is not longer than the term is expected";
            reader.invalid("billing_cycle", InvalidField::value(detail));
        }
        if started_on.as_ref().is_some_and(|date| *date > Date::tomorrow(rules.now)) {
            reader.invalid("started_on", InvalidField::range("a date not later than tomorrow (UTC) is expected"));
        }
        let registration = Registration {
            subscription_id: subscription_id?,
            customer_tenant_id: customer?,
            service: service?,
            offer_id: offer_id?,
            quantity: quantity?,
            billing_cycle: billing_cycle?,
            term: term?,
            friendly_name,
            external_reference,
            started_on,
        };
        Some(Self { registration, partner_of_record })
    }
}

impl WebhookData for RegistrationBody {
    const TYPE: &'static str = "subscription.register";
    const ENVELOPE: &'static str = "RegistrationWebhook";
}

fn subscription_id() -> Parsed<SubscriptionId> {
    Parsed {
        parse: SubscriptionId::parse,
        expected: "1 to 64 characters of A–Z a–z 0–9 . _ - are expected",
        pattern: "^[A-Za-z0-9._-]{1,64}$",
        format: None,
    }
}

fn date() -> Parsed<Date> {
    Parsed {
        parse: Date::parse,
        expected: "a date is expected, for example 2026-11-22",
        pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        format: Some("date"),
    }
}

impl RegistrationBody {
    pub(crate) fn customer(&self) -> &TenantId {
        &self.registration.customer_tenant_id
    }

    pub(crate) fn subscription_id(&self) -> &SubscriptionId {
        &self.registration.subscription_id
    }

    /// The partner of record is always the caller; a body may name the caller, and no other partner (MP-22).
    pub(crate) fn into_subscription(
        self,
        partner: &Partner,
        policy_version: u32,
        now: Timestamp,
    ) -> Result<Subscription, Problem> {
        let names_another =
            self.partner_of_record.is_some_and(|id| PartnerId::parse(&id).as_ref() != Some(&partner.partner_id));
        if names_another {
            let detail = "A partner can only register subscriptions for itself. Leave `partner_of_record` out.";
            return Err(Problem::new(Code::PartnerOfRecordMismatch, detail));
        }
        Ok(Subscription {
            registration: self.registration,
            cloud: partner.cloud,
            partner_of_record: partner.partner_id.clone(),
            registered_at: now,
            policy_version,
        })
    }
}

/// `subscription.registered` with `{service, offer_id, quantity, billing_cycle, term}`.
pub(crate) fn event(subscription: &Subscription, occurrence: Occurrence<'_>) -> Event {
    let registration = &subscription.registration;
    let data = [
        ("service", json!(registration.service)),
        ("offer_id", json!(registration.offer_id)),
        ("quantity", json!(registration.quantity)),
        ("billing_cycle", json!(registration.billing_cycle)),
        ("term", json!(registration.term)),
    ];
    subscription.event(occurrence, data)
}
