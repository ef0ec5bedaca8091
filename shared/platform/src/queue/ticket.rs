use serde_json::{Value, json};

use domain::{Delivery, EndpointId, Owner, WebhookId};

/// The name of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub webhook_id: WebhookId,
    pub endpoint_id: EndpointId,
    /// The owner of the endpoint.
    pub owner: Owner,
}

impl From<&Delivery> for Ticket {
    fn from(delivery: &Delivery) -> Self {
        Self {
            webhook_id: delivery.webhook_id.clone(),
            endpoint_id: delivery.endpoint_id.clone(),
            owner: delivery.owner.clone(),
        }
    }
}

impl Ticket {
    /// `{v:1,event_id,endpoint_id,owner:{kind,id}}`
    pub fn to_text(&self) -> String {
        let owner = json!({"kind": self.owner.kind(), "id": self.owner.id()});
        json!({"v": 1, "event_id": self.webhook_id, "endpoint_id": self.endpoint_id, "owner": owner}).to_string()
    }

    /// `None` if the text is not a ticket of this version.
    pub fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let part = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        if value.get("v").and_then(Value::as_u64) != Some(1) {
            return None;
        }
        Some(Self {
            webhook_id: WebhookId::parse(part("/event_id")?)?,
            endpoint_id: EndpointId::parse(part("/endpoint_id")?)?,
            owner: Owner::parse(part("/owner/kind")?, part("/owner/id")?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{EventId, PartnerId, TenantId, digest};

    #[test]
    fn only_a_tickets_own_text_parses_to_it() {
        let hash = digest("t", &[]);
        let tenant = TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap();
        for owner in [Owner::Partner(PartnerId::from_hash(&hash)), Owner::Customer(tenant)] {
            let endpoint_id = EndpointId::from_hash(&hash);
            let ticket = Ticket { webhook_id: EventId::from_hash(&hash).into(), endpoint_id, owner };
            assert_eq!(Ticket::parse(&ticket.to_text()), Some(ticket.clone()));
            for wrong in ["", "{}", "null", "[1]", &ticket.to_text().replace("\"v\":1", "\"v\":2")] {
                assert_eq!(Ticket::parse(wrong), None, "{wrong}");
            }
        }
    }
}
