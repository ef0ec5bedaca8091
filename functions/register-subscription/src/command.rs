//! What a partner sends, checked, and the record and event that come of it.

use domain::{
    BillingCycle, Event, Occurrence, Partner, PartnerId, PolicyVersion, Registration, Subscription, SubscriptionId,
    Term, Timestamp, text,
};
use platform::http_api::fields::{self, Fields};
use platform::http_api::{Code, Problem};
use serde_json::{Value, json};

/// Reads `{subscription_id, customer_tenant_id, service, offer_id, quantity, billing_cycle, term, friendly_name?}`. The
/// partner of record is always the caller; a body may say so but nothing else (MP-22).
pub(crate) fn read(
    body: Value,
    policy: &PolicyVersion,
    partner: &Partner,
    now: Timestamp,
) -> Result<Subscription, Problem> {
    let mut fields = Fields::of(body)?;
    let of_record = fields.optional("partner_of_record", fields::any_text);
    let registration = registration(&mut fields, policy);
    let registration = fields.finish(registration)?;
    if of_record.is_some_and(|id| PartnerId::parse(&id).as_ref() != Some(&partner.partner_id)) {
        return Err(Problem::new(
            Code::PartnerOfRecordMismatch,
            "A subscription is recorded for the partner that registers it, and for nobody else.",
        ));
    }
    Ok(Subscription {
        registration,
        cloud: partner.cloud,
        partner_of_record: partner.partner_id.clone(),
        registered_at: now,
        policy_version: policy.version,
    })
}

fn registration(fields: &mut Fields, policy: &PolicyVersion) -> Option<Registration> {
    let name = policy.limits.name_characters;
    let line = || fields::checked(move |value| text::line(value, name));
    let subscription_id = fields.required(
        "subscription_id",
        fields::text(SubscriptionId::parse, "1 to 64 characters of A–Z a–z 0–9 . _ - are expected"),
    );
    let customer = fields.required("customer_tenant_id", fields::tenant_id);
    let service = fields.required("service", line());
    let offer_id = fields.required("offer_id", line());
    let quantity = fields.required("quantity", fields::whole(1, policy.limits.quantity_max));
    let billing_cycle = fields.required(
        "billing_cycle",
        fields::text(BillingCycle::parse, "monthly, annual, triennial or one_time is expected"),
    );
    let term = fields.required("term", fields::text(Term::parse, "P1M, P1Y or P3Y is expected"));
    let friendly_name = fields.optional("friendly_name", line());
    Some(Registration {
        subscription_id: subscription_id?,
        customer_tenant_id: customer?,
        service: service?,
        offer_id: offer_id?,
        quantity: quantity?,
        billing_cycle: billing_cycle?,
        term: term?,
        friendly_name,
    })
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
