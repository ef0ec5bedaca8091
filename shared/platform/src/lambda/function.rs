//! Functions behind the HTTP API: their routes, the boundary where panics and errors become responses, and one line of access
//! log per request.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use futures_util::FutureExt;

use super::runtime::{Invocation, exit, start};
use crate::config::Needs;
use crate::deadline::Deadline;
use crate::handler::App;
use crate::http_api::{Problem, Request, Response, conditional, to_gateway};

/// What a handler returns, boxed, so that functions fit into one table.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// What serves a route.
pub type Handler = fn(Arc<App>, Request) -> HandlerFuture;

/// A route and what serves it.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// As the template writes it: `METHOD /path/{parameter}`.
    pub key: &'static str,
    /// What serves it.
    pub handler: Handler,
}

impl Route {
    /// The media type it answers in: JSON, but for the page that people open.
    fn media(&self) -> &'static str {
        if self.key.contains(" /i/") { "text/html" } else { "application/json" }
    }
}

/// The table of a function's routes: `routes! { "GET /v1/me" => me, … }`, each handler an
/// `async fn(&App, &Request) -> Result<Response, Problem>`.
#[macro_export]
macro_rules! routes {
    ($($key:literal => $handler:path,)*) => {
        &[$($crate::lambda::Route {
            key: $key,
            handler: |app, request| Box::pin(async move { $handler(&app, &request).await }),
        }),*]
    };
}

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

/// The whole of a function's `main`.
pub fn main(function: Function) -> ExitCode {
    exit(
        function.name,
        start(
            function.needs,
            |app, _| Ok(app),
            move |app, payload, invocation| async move {
                Ok::<_, Infallible>(invoke(app, &function, &payload, &invocation).await)
            },
        ),
    )
}

/// Answers one event. This never panics and never fails: whatever happens becomes an answer.
pub async fn invoke(
    app: Arc<App>,
    function: &Function,
    payload: &[u8],
    invocation: &Invocation,
) -> ApiGatewayV2httpResponse {
    let began = Instant::now();
    let mut seen = Seen { id: invocation.id.clone(), route: "-".to_owned() };
    let answering = AssertUnwindSafe(answer(app, function, payload, invocation, &mut seen));
    let answer = answering.catch_unwind().await;
    let answer = answer.unwrap_or_else(|_| Err(Problem::internal("the handler panicked")));
    log_access(&seen, &answer, began);
    to_gateway(answer, &seen.id)
}

/// What is known of a request, as far as it was read.
struct Seen {
    id: String,
    route: String,
}

async fn answer(
    app: Arc<App>,
    function: &Function,
    payload: &[u8],
    invocation: &Invocation,
    seen: &mut Seen,
) -> Result<Response, Problem> {
    let deadline = Deadline::within(invocation.remaining);
    let request = Request::parse(payload, &invocation.id, app.clock.now(), deadline)?;
    *seen = Seen { id: request.id.clone(), route: request.route_key().to_owned() };
    let route = function.routes.iter().find(|route| route.key == seen.route).ok_or_else(Problem::not_found)?;
    request.check_accept(route.media())?;
    let held = request.tags_held();
    Ok(conditional(held, (route.handler)(app, request).await?))
}

/// One line per request: no path, no query, no header, no body. What failed inside stands beside it, under the same id.
fn log_access(seen: &Seen, answer: &Result<Response, Problem>, began: Instant) {
    let (request_id, route) = (seen.id.as_str(), seen.route.as_str());
    let (status, code) = match answer {
        Ok(answer) => (answer.status, ""),
        Err(problem) => (problem.code.status(), problem.code.name()),
    };
    if let Err(Problem { cause: Some(cause), .. }) = answer {
        tracing::error!(request_id, route, cause, "the request failed inside");
    }
    let duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::info!(request_id, route, status, code, duration_us, "request");
}
