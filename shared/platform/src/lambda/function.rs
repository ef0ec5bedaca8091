//! Functions behind the HTTP API: their routes, the boundary where panics and errors become responses, and one line of access
//! log per request.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_sdk_dynamodb::Client;
use futures_util::FutureExt;

use super::runtime::{Invocation, StartError, Started, exit};
use crate::clock::SystemClock;
use crate::config::Needs;
use crate::deadline::Deadline;
use crate::handler::{App, Context, Route};
use crate::http_api::{Problem, Request, Response, conditional, to_gateway};
use crate::random::SystemRandom;
use domain::Policy;

/// A function: a set of routes with one kind of rights.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name, that of its crate and of its resource's folder.
    pub name: &'static str,
    /// Its routes.
    pub routes: &'static [Route],
    /// What it works with.
    pub needs: Needs,
}

impl Function {
    /// Whether it has this route.
    pub fn serves(&self, route_key: &str) -> bool {
        self.routes.iter().any(|route| route.key == route_key)
    }
}

/// The `main` of a function behind the HTTP API.
pub fn main(function: Function) -> ExitCode {
    exit(function.name, serve(function, |started| started.table(function.needs).map(Some)))
}

/// The `main` of a function behind the HTTP API that never calls the table. It has no client, which is most of a function.
pub fn main_without_table(function: Function) -> ExitCode {
    exit(function.name, serve(function, |_| Ok(None)))
}

fn serve(
    function: Function,
    table: impl FnOnce(&Started) -> Result<Option<Client>, StartError>,
) -> Result<(), StartError> {
    let started = Started::new(function.needs)?;
    let (table, policy) = (table(&started)?, Policy::built_in()?);
    let app = App::new(&started.config, table, policy, Arc::new(SystemClock), Arc::new(SystemRandom));
    started.serve(app, |app, payload, invocation| async move {
        Ok::<_, Infallible>(invoke(app, &function, &payload, &invocation).await)
    })
}

/// Responds to one event. It never panics and never fails: every error becomes a response.
pub async fn invoke(
    app: Arc<App>,
    function: &Function,
    payload: &[u8],
    invocation: &Invocation,
) -> ApiGatewayV2httpResponse {
    let began = Instant::now();
    let mut known = Known { id: invocation.id.clone(), route: "-".to_owned() };
    let responding = AssertUnwindSafe(respond(app, function, payload, invocation, &mut known));
    let response = responding.catch_unwind().await;
    let response = response.unwrap_or_else(|_| Err(Problem::internal("the handler panicked")));
    log_access(&known, &response, began);
    to_gateway(response, &known.id)
}

/// What is known of a request so far.
struct Known {
    id: String,
    route: String,
}

async fn respond(
    app: Arc<App>,
    function: &Function,
    payload: &[u8],
    invocation: &Invocation,
    known: &mut Known,
) -> Result<Response, Problem> {
    let deadline = Deadline::within(invocation.remaining);
    let request = Request::parse(payload, &invocation.id, app.clock.now(), deadline)?;
    *known = Known { id: request.id.clone(), route: request.route_key().to_owned() };
    let route = function.routes.iter().find(|route| route.key == known.route).ok_or_else(Problem::not_found)?;
    request.check_accept(route.media)?;
    let tags = request.known_tags();
    let context = Context { app, request: Arc::new(request) };
    Ok(conditional(tags, (route.handler)(context).await?))
}

/// One line per request, without path, query, headers and body. The cause of an internal error is logged under the same id.
fn log_access(known: &Known, response: &Result<Response, Problem>, began: Instant) {
    let (request_id, route) = (known.id.as_str(), known.route.as_str());
    let (status, code) = match response {
        Ok(response) => (response.status, ""),
        Err(problem) => (problem.code.status(), problem.code.name()),
    };
    if let Err(Problem { cause: Some(cause), .. }) = response {
        tracing::error!(request_id, route, cause, "internal error");
    }
    let duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::info!(request_id, route, status, code, duration_us, "request");
}
