//! Warns about endpoints that did not answer their challenge. In a deployment, the owner finds it in the delivery log. On one
//! machine, the owner is the person in front of the terminal, who may wait for webhooks that never come.

use deliver_webhook::Deliverer;
use domain::{Delivery, DeliveryPurpose, DeliveryState, EndpointState, MessageId, Owner};
use platform::queue::Ticket;
use platform::store::OpContext;

use super::message::Received;

/// Looks at the deliveries of these messages after an attempt.
pub(super) async fn warn(deliverer: &Deliverer, op: OpContext, messages: &[Received]) {
    for ticket in messages.iter().filter_map(|message| Ticket::parse(&message.body)) {
        // Events are no challenges, and there are many of them.
        if MessageId::parse(ticket.webhook_id.as_str()).is_none() {
            continue;
        }
        let (id, owner) = (&ticket.webhook_id, &ticket.owner);
        let Ok(found) = deliverer.store.incoming(op, id, owner, &ticket.endpoint_id).await else { continue };
        if let (Some(delivery), Some(recipient)) = (found.delivery, found.recipient)
            && let Some(text) = warning(&delivery, recipient.endpoint.state, &recipient.endpoint.url)
        {
            tracing::warn!("{text}");
        }
    }
}

/// `None` unless the first attempt of a challenge has failed.
fn warning(delivery: &Delivery, endpoint: EndpointState, url: &str) -> Option<String> {
    let unanswered = delivery.state != DeliveryState::Delivered && endpoint != EndpointState::Active;
    if delivery.purpose != DeliveryPurpose::Challenge || delivery.attempt != 1 || !unanswered {
        return None;
    }
    let last = delivery.last.as_ref()?;
    let outcome = match (last.status, last.failure.as_deref()) {
        (Some(status), _) => format!("it answered with status {status}"),
        (None, Some("connect")) => "nothing listens there".to_owned(),
        (None, failure) => format!("no answer: {}", failure.unwrap_or("unknown")),
    };
    let owner = match &delivery.owner {
        Owner::Partner(partner) => format!("partners/{partner}"),
        Owner::Customer(tenant) => format!("customers/{tenant}"),
    };
    let call = format!("POST /v1/{owner}/endpoints/{}/test", delivery.endpoint_id);
    Some(format!(
        "the webhook endpoint {url} did not answer its challenge ({outcome}). It gets no events until it answers one with 2xx. \
         Start the receiver, then call {call}"
    ))
}

#[cfg(test)]
mod tests {
    use domain::{EndpointId, LastAttempt, PartnerId, Timestamp, digest};

    use super::*;

    const URL: &str = "http://127.0.0.1:4000/";

    /// A challenge after one attempt.
    fn attempted(status: Option<u16>, failure: Option<&str>) -> Delivery {
        let hash = digest("one", &[]);
        let (owner, id) = (Owner::Partner(PartnerId::from_hash(&hash)), EndpointId::from_hash(&hash));
        let message = MessageId::from_hash(&hash).into();
        let new = Delivery::new(message, id, owner, DeliveryPurpose::Challenge, Timestamp::from_millis(0));
        let failure = failure.map(str::to_owned);
        Delivery {
            attempt: 1,
            last: Some(LastAttempt { status, failure, latency_ms: 1, excerpt: String::new() }),
            ..new
        }
    }

    #[test]
    fn a_failed_challenge_is_reported_with_a_remedy() {
        for (delivery, outcome) in [
            (attempted(None, Some("connect")), "(nothing listens there)"),
            (attempted(None, Some("timeout")), "(no answer: timeout)"),
            (attempted(Some(404), None), "(it answered with status 404)"),
        ] {
            let text = warning(&delivery, EndpointState::Pending, URL).unwrap();
            assert!(text.contains(URL) && text.contains(outcome), "{text}");
            assert!(text.ends_with(&format!("/endpoints/{}/test", delivery.endpoint_id)), "{text}");
        }
    }

    #[test]
    fn only_the_first_failed_attempt_of_a_challenge_is_reported() {
        let failed = attempted(Some(404), None);
        let again = Delivery { attempt: 2, ..failed.clone() };
        let event = Delivery { purpose: DeliveryPurpose::Event, ..failed.clone() };
        let delivered = Delivery { state: DeliveryState::Delivered, ..failed.clone() };
        for delivery in [again, event, delivered] {
            assert_eq!(warning(&delivery, EndpointState::Pending, URL), None, "{delivery:?}");
        }
        assert_eq!(warning(&failed, EndpointState::Active, URL), None);
    }
}
