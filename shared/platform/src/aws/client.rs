//! The HTTP client of every AWS client: HTTP/1.1 over a few connections that stay open. Nothing is spawned and nothing is set up
//! before it is needed, which makes functions smaller and their start shorter than with the SDK's own client.

use std::fmt;
use std::sync::Arc;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::idle::IdleLinks;
use super::link::{Asked, Link};
use super::message::{from_sdk, to_sdk};
use super::open::Opener;

/// The HTTP client of every AWS client. Plain HTTP endpoints work too.
pub fn http_client() -> SharedHttpClient {
    SharedHttpClient::new(Caller::default())
}

/// Sends the requests of AWS clients.
#[derive(Clone, Default)]
pub(super) struct Caller(Arc<Parts>);

#[derive(Default)]
struct Parts {
    opener: Opener,
    idle: IdleLinks,
}

impl Caller {
    #[cfg(test)]
    pub(super) fn with(opener: Opener) -> Self {
        Self(Arc::new(Parts { opener, idle: IdleLinks::default() }))
    }

    /// Sends a request over an idle connection, or over a new one. A request that was not sent because the idle connection had
    /// just ended is sent over another one. All other failures are the caller's, who knows whether to repeat the request.
    pub(super) async fn send(
        &self,
        request: HttpRequest,
        limits: &HttpConnectorSettings,
    ) -> Result<HttpResponse, ConnectorError> {
        let Parts { opener, idle } = &*self.0;
        let (target, mut request) = from_sdk(request)?;
        while let Some(mut link) = idle.take(&target).await {
            match link.ask(request, limits.read_timeout()).await {
                Asked::Answered(response) => return to_sdk(self.keep(link, response).await),
                Asked::NotSent(unsent) => request = *unsent,
                Asked::Failed(error) => return Err(error),
            }
        }
        let stream = opener.open(&target, limits.connect_timeout()).await?;
        let mut link = Link::over(stream, target).await?;
        match link.ask(request, limits.read_timeout()).await {
            Asked::Answered(response) => to_sdk(self.keep(link, response).await),
            Asked::NotSent(_) => Err(ConnectorError::io("the connection ended at once".into())),
            Asked::Failed(error) => Err(error),
        }
    }

    /// Keeps a connection, unless its server failed. Another try may then reach another server.
    async fn keep<B>(&self, link: Link, response: http::Response<B>) -> http::Response<B> {
        if !response.status().is_server_error() {
            self.0.idle.put(link).await;
        }
        response
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Caller")
    }
}

impl HttpClient for Caller {
    fn http_connector(&self, limits: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Limited { caller: self.clone(), limits: limits.clone() })
    }
}

/// A [`Caller`] with the time limits of one client.
#[derive(Clone, Debug)]
struct Limited {
    caller: Caller,
    limits: HttpConnectorSettings,
}

impl HttpConnector for Limited {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { caller, limits } = self.clone();
        HttpConnectorFuture::new(async move { caller.send(request, &limits).await })
    }
}
