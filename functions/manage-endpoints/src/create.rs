//! Creating an endpoint → 201 `{endpoint, signing_secret}`. It is pending until it answers its challenge.

use domain::{Chain, Endpoint, EndpointId, EndpointState, EventType, SecretGeneration, digest};
use platform::handler::App;
use platform::handler::views::EndpointView;
use platform::http_api::fields::{self, Fields};
use platform::http_api::{Code, Problem, Request, Response};
use platform::store::EndpointCreated;
use serde_json::json;

use crate::body;
use crate::owner::Act;

struct Body {
    url: String,
    event_types: Option<Vec<EventType>>,
    description: Option<String>,
}

impl Body {
    fn read(act: &Act<'_>) -> Result<Self, Problem> {
        let mut fields = Fields::of_body(act.request)?;
        let url = fields.required("url", fields::any_text);
        let event_types = fields.optional("event_types", body::event_types);
        let description = fields.optional("description", body::description(act.app, act.request));
        fields.finish(url.map(|url| Self { url, event_types, description }))
    }
}

pub(crate) async fn create(app: &App, request: &Request) -> Result<Response, Problem> {
    let act = Act::of(app, request).await?;
    let key = request.idempotency_key()?;
    let body = Body::read(&act)?;
    let url = body::permitted(app, &body.url).await?;
    let seed = match key {
        Some(key) => digest(
            "endpoint by idempotency key",
            &[act.owner.kind().as_str().as_bytes(), act.owner.id().as_bytes(), key.as_bytes()],
        ),
        None => app.random.bytes(),
    };
    let asked = json!([url.as_str(), body.event_types, body.description]).to_string();
    let endpoint = Endpoint {
        endpoint_id: EndpointId::from_hash(&seed),
        owner: act.owner.clone(),
        url: url.as_str().to_owned(),
        event_types: body.event_types,
        description: body.description,
        state: EndpointState::Pending,
        secrets: vec![SecretGeneration { generation: 1, key_number: app.keys.current()?, ends_at: None }],
        fingerprint: digest("endpoint", &[asked.as_bytes()]),
        pending_since: request.now,
        failing_since: None,
        created_at: request.now,
        chain: Chain::default(),
    };
    let data =
        [("url", json!(endpoint.url)), ("event_types", json!(endpoint.event_types)), ("state", json!(endpoint.state))];
    let event = endpoint.event(EventType::EndpointCreated, act.occurrence(), data);
    let most = app.policy_for(request).limits.endpoints_max;
    match app.store.create_endpoint(request.op(), &endpoint, &event, most).await? {
        EndpointCreated::New => created(app, &endpoint),
        EndpointCreated::Before(before) if before.fingerprint == endpoint.fingerprint => {
            Ok(created(app, &before)?.replayed(true))
        }
        EndpointCreated::Before(_) => {
            Err(Problem::new(Code::IdempotencyKeyReused, "This idempotency key was used for another endpoint."))
        }
        EndpointCreated::UrlTaken => Err(url_taken()),
        EndpointCreated::TooMany => {
            Err(Problem::new(Code::EndpointLimit, format!("There can be {most} endpoints; delete one first.")))
        }
    }
}

pub(crate) fn url_taken() -> Problem {
    Problem::new(Code::EndpointExists, "Another endpoint has this address; two would be sent everything twice.")
}

fn created(app: &App, endpoint: &Endpoint) -> Result<Response, Problem> {
    Response::json(
        201,
        &json!({"endpoint": EndpointView::new(endpoint), "signing_secret": current_secret(app, endpoint)?}),
    )
}

pub(crate) fn current_secret(app: &App, endpoint: &Endpoint) -> Result<String, Problem> {
    let current = endpoint.secrets.first().ok_or_else(|| Problem::internal("an endpoint has no signing secret"))?;
    Ok(app.keys.endpoint_secret(current.key_number, &endpoint.endpoint_id, current.generation)?.to_whsec())
}
