//! The queue's tickets out of the table, once, when a process starts: the queue died with the one before.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use shared::domain::{DeliveryState, EndpointId, Owner, WebhookId};
use shared::queue::Ticket;
use shared::store::{StoreError, keys};

/// A ticket for every delivery that is not finished. Only an embedded table may be read whole.
pub(super) async fn unfinished(client: &Client, table: &str) -> Result<Vec<Ticket>, StoreError> {
    let mut tickets = Vec::new();
    let mut start = None;
    loop {
        let scan = client.scan().table_name(table).consistent_read(true).set_exclusive_start_key(start);
        let scan = scan.filter_expression("begins_with(pk, :delivery) AND delivery_state = :pending");
        let scan = scan.expression_attribute_values(":delivery", AttributeValue::S(keys::DELIVERY.to_owned()));
        let pending = AttributeValue::S(DeliveryState::Pending.as_str().to_owned());
        let page = scan.expression_attribute_values(":pending", pending).send().await;
        let page = page.map_err(|error| StoreError::Failed(error.to_string()))?;
        tickets.extend(page.items.unwrap_or_default().iter().filter_map(ticket));
        start = page.last_evaluated_key;
        if start.is_none() {
            return Ok(tickets);
        }
    }
}

fn ticket(item: &HashMap<String, AttributeValue>) -> Option<Ticket> {
    let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
    Some(Ticket {
        webhook_id: WebhookId::parse(part(keys::PK)?.strip_prefix(keys::DELIVERY)?)?,
        endpoint_id: EndpointId::parse(part(keys::SK)?)?,
        owner: Owner::parse(part("owner")?, part("owner_id")?)?,
    })
}
