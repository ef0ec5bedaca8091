//! Reads lists.

use serde_json::Value;

use super::error::Stop;
use super::parties::{Customer, Partner};
use super::scenario::Scenario;

/// The items of a page.
pub fn items(page: &Value) -> &[Value] {
    page["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The partner's row in the customer's list.
pub async fn row_of(scenario: &mut Scenario, partner: &Partner, customer: &Customer) -> Result<Value, Stop> {
    let page = scenario.read(customer.get("/partners")).await?;
    Ok(items(page.json()).iter().find(|row| row["partner_id"] == partner.id).cloned().unwrap_or_default())
}

/// The grants in that row.
pub async fn grants_of(scenario: &mut Scenario, partner: &Partner, customer: &Customer) -> Result<Vec<Value>, Stop> {
    let row = row_of(scenario, partner, customer).await?;
    Ok(row["grants"].as_array().cloned().unwrap_or_default())
}
