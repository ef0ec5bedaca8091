use domain::{
    Delivery, DeliveryPurpose, DeliveryState, Endpoint, EndpointId, EndpointState, EventType, Timestamp, WebhookId,
};

crate::views! {
    pub struct EndpointView {
        pub endpoint_id: EndpointId,
        pub url: String,
        /// The types of events that are sent; `null` for all.
        pub event_types: Option<Vec<EventType>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub description: Option<String>,
        pub state: EndpointState,
        pub created_at: Timestamp,
    }

    /// One message on its way to one endpoint.
    pub struct DeliveryView {
        /// The `webhook-id` of the message.
        pub event_id: WebhookId,
        pub purpose: DeliveryPurpose,
        pub state: DeliveryState,
        /// Attempts begun.
        pub attempt: u32,
        pub created_at: Timestamp,
        /// Time of the next attempt.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub next_at: Option<Timestamp>,
        /// Duration of the last attempt.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub latency_ms: Option<u64>,
        /// HTTP status of the last response.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub last_status: Option<u16>,
        /// The first 1 KiB of the last response's body; bytes that are not UTF-8 are shown as U+FFFD.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub body_excerpt: Option<String>,
        /// Why the last attempt had no response.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub failure: Option<String>,
    }

    pub struct SigningSecretView {
        /// `whsec_` and base64.
        pub signing_secret: String,
    }

    pub struct EndpointResponse {
        pub endpoint: EndpointView,
    }

    pub struct EndpointCreatedView {
        pub endpoint: EndpointView,
        /// The secret with which messages to the endpoint are signed: `whsec_` and base64.
        pub signing_secret: String,
    }

    pub struct DeliveryQueuedView {
        pub delivery: DeliveryView,
    }

    pub struct ResentView {
        /// The number of messages that are sent again.
        pub resent: u32,
        /// Where to continue if there was no time for all messages.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub next_since: Option<Timestamp>,
    }
}

impl EndpointView {
    pub fn new(endpoint: &Endpoint) -> Self {
        Self {
            endpoint_id: endpoint.endpoint_id.clone(),
            url: endpoint.url.clone(),
            event_types: endpoint.event_types.clone(),
            description: endpoint.description.clone(),
            state: endpoint.state,
            created_at: endpoint.created_at,
        }
    }
}

impl DeliveryView {
    pub fn new(delivery: &Delivery) -> Self {
        let last = delivery.last.as_ref();
        let responded = last.filter(|last| last.status.is_some());
        Self {
            event_id: delivery.webhook_id.clone(),
            purpose: delivery.purpose,
            state: delivery.state,
            attempt: delivery.attempt,
            created_at: delivery.created_at,
            next_at: delivery.next_at,
            latency_ms: last.map(|last| last.latency_ms),
            last_status: last.and_then(|last| last.status),
            body_excerpt: responded.map(|last| last.excerpt.clone()),
            failure: last.and_then(|last| last.failure.clone()),
        }
    }
}

impl EndpointResponse {
    pub fn new(endpoint: &Endpoint) -> Self {
        Self { endpoint: EndpointView::new(endpoint) }
    }
}
