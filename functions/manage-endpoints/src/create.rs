//! Creating an endpoint. It is pending until it answers its challenge.

use domain::{Chain, Endpoint, EndpointId, EndpointState, EventType, SecretVersion, Uses, digest};
use platform::handler::views::{EndpointCreatedView, EndpointView};
use platform::handler::{Context, Created, Json, OptionalIdempotencyKey, Owning};
use platform::http_api::{Code, Problem};
use platform::store::{EndpointCreated, EndpointLimits, Step, StoreError, retry_on_change};
use serde_json::json;

use crate::body::{EndpointBody, permitted_url};
use crate::owner::{Action, problem_challenges};

pub(crate) async fn create<C: Owning>(
    context: Context,
    caller: C,
    (OptionalIdempotencyKey(key), Json(body)): (OptionalIdempotencyKey, Json<EndpointBody>),
) -> Result<Created<EndpointCreatedView>, Problem> {
    let action = Action::new(context, caller);
    let context = &action.context;
    let url = permitted_url(context, &body.url).await?;
    let endpoint = new_endpoint(&action, key, url.as_str(), body)?;
    let data =
        [("url", json!(endpoint.url)), ("event_types", json!(endpoint.event_types)), ("state", json!(endpoint.state))];
    let event = endpoint.event(EventType::EndpointCreated, action.occurrence(), data);
    let policy = &context.policy().limits;
    let (most, per_hour) = (policy.endpoints_max, policy.endpoint_challenges_per_hour);
    let limits = EndpointLimits { endpoints: most, challenges_per_hour: per_hour };
    let (endpoint, event) = (&endpoint, &event);
    let created = retry_on_change(|| async {
        match context.app.store.create_endpoint(context.op(), endpoint, event, limits).await? {
            EndpointCreated::Changed => Ok::<_, StoreError>(Step::Changed),
            created => Ok(Step::Done(created)),
        }
    });
    match created.await? {
        EndpointCreated::New => Ok(Created::new(view(context, endpoint)?)),
        EndpointCreated::Changed => Err(StoreError::Contention.into()),
        EndpointCreated::RateLimited(wait) => Err(problem_challenges(per_hour, wait)),
        EndpointCreated::AlreadyExists(before) if before.fingerprint == endpoint.fingerprint => {
            Ok(Created::replayed(view(context, &before)?))
        }
        EndpointCreated::AlreadyExists(_) => {
            let detail = "This idempotency key was used for an endpoint with other details. Use a new idempotency key.";
            Err(Problem::new(Code::IdempotencyKeyReused, detail))
        }
        EndpointCreated::UrlTaken => Err(problem_url_taken()),
        EndpointCreated::LimitReached => {
            let detail = format!("The limit of {most} endpoints is reached. Delete one first.");
            Err(Problem::new(Code::EndpointLimit, detail))
        }
    }
}

fn new_endpoint(action: &Action, key: Option<String>, url: &str, body: EndpointBody) -> Result<Endpoint, Problem> {
    let (context, owner) = (&action.context, &action.owner);
    let seed = match key {
        Some(key) => {
            let parts = [owner.kind().as_str().as_bytes(), owner.id().as_bytes(), key.as_bytes()];
            digest("endpoint by idempotency key", &parts)
        }
        None => context.app.random.bytes(),
    };
    let asked = json!([url, body.event_types, body.description]).to_string();
    let key_number = context.app.keys.current()?;
    Ok(Endpoint {
        endpoint_id: EndpointId::from_hash(&seed),
        owner: owner.clone(),
        url: url.to_owned(),
        event_types: body.event_types,
        description: body.description,
        state: EndpointState::Pending,
        secrets: vec![SecretVersion::first(key_number)],
        fingerprint: digest("endpoint", &[asked.as_bytes()]),
        pending_since: context.now(),
        period: 1,
        failing: None,
        resends: Uses::default(),
        created_at: context.now(),
        chain: Chain::default(),
    })
}

pub(crate) fn problem_url_taken() -> Problem {
    let detail = "Another endpoint has this URL, and would receive everything twice. Change or delete that endpoint.";
    Problem::new(Code::EndpointExists, detail)
}

fn view(context: &Context, endpoint: &Endpoint) -> Result<EndpointCreatedView, Problem> {
    let signing_secret = current_secret(context, endpoint)?;
    Ok(EndpointCreatedView { endpoint: EndpointView::new(endpoint), signing_secret })
}

fn current_secret(context: &Context, endpoint: &Endpoint) -> Result<String, Problem> {
    let current = endpoint.secrets.first().ok_or_else(|| Problem::internal("an endpoint has no signing secret"))?;
    secret_text(context, endpoint, current)
}

pub(crate) fn secret_text(context: &Context, endpoint: &Endpoint, secret: &SecretVersion) -> Result<String, Problem> {
    let keys = &context.app.keys;
    Ok(keys.endpoint_secret(secret.key_number, &endpoint.endpoint_id, secret.version)?.to_whsec())
}
