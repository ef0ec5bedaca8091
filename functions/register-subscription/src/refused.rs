//! Why a subscription is not registered, alone or in a batch.

use platform::http_api::{Code, Problem};

pub(crate) fn problem_no_relationship() -> Problem {
    let detail = "There is no active relationship with this customer. Invite the customer first.";
    Problem::new(Code::NoActiveRelationship, detail)
}

pub(crate) fn problem_exists() -> Problem {
    let detail = "This subscription id is already registered with different details. Use another id.";
    Problem::new(Code::SubscriptionExists, detail)
}
