//! An HTTP client for the SDK that records the responses of the engine, and then returns them again.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::config::{RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Mode {
    #[default]
    Pass,
    Record,
    Replay,
}

#[derive(Debug, Default)]
struct State {
    mode: Mode,
    recorded: Vec<(u16, Vec<u8>)>,
    /// The next response.
    at: usize,
}

#[derive(Clone)]
pub struct Replay {
    inner: SharedHttpClient,
    state: Arc<Mutex<State>>,
}

impl Replay {
    pub fn over(inner: SharedHttpClient) -> Self {
        Self { inner, state: Arc::default() }
    }

    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// The engine answers.
    pub fn pass(&self) {
        *self.state() = State::default();
    }

    /// The engine answers, and its responses are kept.
    pub fn record(&self) {
        *self.state() = State { mode: Mode::Record, ..State::default() };
    }

    /// The kept responses are returned in their order.
    pub fn replay(&self) {
        self.state().mode = Mode::Replay;
    }

    /// The first response is the next.
    pub fn rewind(&self) {
        self.state().at = 0;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next response, if responses are replayed.
    fn next(&self) -> Option<HttpResponse> {
        let mut state = self.state();
        if state.mode != Mode::Replay {
            return None;
        }
        let (status, body) = state.recorded.get(state.at).cloned().expect("as many requests as were recorded");
        state.at += 1;
        Some(response(status, body))
    }
}

fn response(status: u16, body: Vec<u8>) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(body))
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replay")
    }
}

impl HttpClient for Replay {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { replay: self.clone(), inner })
    }
}

#[derive(Debug)]
struct Connector {
    replay: Replay,
    inner: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Some(response) = self.replay.next() {
            return HttpConnectorFuture::ready(Ok(response));
        }
        let (replay, call) = (self.replay.clone(), self.inner.call(request));
        HttpConnectorFuture::new(async move {
            let answer = call.await?;
            let (status, body) = (answer.status().as_u16(), answer.body().bytes().unwrap_or_default().to_vec());
            let mut state = replay.state();
            if state.mode == Mode::Record {
                state.recorded.push((status, body));
            }
            Ok(answer)
        })
    }
}
