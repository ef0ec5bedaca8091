//! The body of a batch: registrations for one customer.

use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::object::ObjectOf;
use platform::http_api::schemas::Schemas;
use platform::http_api::shape::{ListOf, Shape};
use platform::http_api::{At, InvalidField};
use serde_json::Value;

use crate::body::RegistrationBody;

/// `{subscriptions: [registration, …]}`
pub(crate) struct BatchBody(pub(crate) Vec<RegistrationBody>);

impl Body for BatchBody {
    const NAME: &'static str = "RegistrationBatch";
    const MAX_BYTES: usize = 256 * 1024;

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let most = rules.policy.limits.subscriptions_per_batch_max;
        let each = ObjectOf::<RegistrationBody>::new(rules);
        reader.required("subscriptions", OneCustomer(ListOf { each, least: 1, most })).map(Self)
    }
}

/// A list in which all registrations are for one customer: the transaction checks its tenant and the relationship with it.
struct OneCustomer<S>(S);

impl<S: Shape<Out = Vec<RegistrationBody>>> Shape for OneCustomer<S> {
    type Out = Vec<RegistrationBody>;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<Self::Out> {
        let (before, batch) = (at.count(), self.0.read(value, at)?);
        let first = batch.first().map(RegistrationBody::customer);
        for (index, _) in batch.iter().enumerate().filter(|(_, one)| Some(one.customer()) != first) {
            let other = InvalidField::value("all subscriptions of a batch must have the same customer");
            let _: Option<()> = at.child(&index.to_string()).child("customer_tenant_id").invalid(other);
        }
        (at.count() == before).then_some(batch)
    }

    fn schema(&self, schemas: &mut Schemas) -> Value {
        self.0.schema(schemas)
    }
}
