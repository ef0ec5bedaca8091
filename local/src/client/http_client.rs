//! HTTP/1.1 with rustls and ring, as in the functions. Connections are kept.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue, USER_AGENT};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use platform::secrets::AccessKeyText;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use super::proxy::{self, Tcp};
use super::{Address, ClientError};
use crate::api::{Answer, Call};

const AGENT: &str = concat!("multipartner/", env!("CARGO_PKG_VERSION"));
/// A page of 100 items has less than a tenth of it.
const MAX_RESPONSE: usize = 16 * 1024 * 1024;

pub(super) struct HttpClient {
    client: Client<HttpsConnector<Tcp>, Full<Bytes>>,
    /// With the key.
    headers: HeaderMap,
    /// The name of the proxy in between, for messages.
    proxy: Option<String>,
    timeout: Duration,
}

impl HttpClient {
    pub(super) fn new(address: &Address, key: Option<&AccessKeyText>, timeout: Duration) -> Result<Self, ClientError> {
        let (tcp, proxy) = proxy::connector(address, &Matcher::from_env())?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(address)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, headers: headers(key)?, proxy, timeout })
    }

    /// Sends a call once. Redirects are not followed.
    pub(super) async fn send(&self, address: &Address, call: &Call) -> Result<Answer, ClientError> {
        let request = self.request(address, call)?;
        let answer = tokio::time::timeout(self.timeout, self.answer(request)).await;
        let (cause, is_connected) = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => (root_cause(error.as_ref()), !is_before_sending(error.as_ref())),
            Err(_) => ("no response in time".to_owned(), true),
        };
        let cause = match &self.proxy {
            Some(proxy) => format!("{cause} (through the proxy {proxy})"),
            None => cause,
        };
        Err(ClientError::Unreachable {
            address: address.to_string(),
            cause,
            is_sent_change: is_connected && call.method != "GET",
        })
    }

    fn request(&self, address: &Address, call: &Call) -> Result<Request<Full<Bytes>>, ClientError> {
        let mut request = Request::builder().method(call.method.as_str()).uri(format!("{address}{}", call.path));
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let body = Full::from(call.body.clone().unwrap_or_default());
        let mut request = request.body(body).map_err(|error| ClientError::Setup(error.to_string()))?;
        request.headers_mut().extend(self.headers.clone());
        Ok(request)
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let (head, body) = self.client.request(request).await?.into_parts();
        let body = Limited::new(body, MAX_RESPONSE).collect().await?.to_bytes();
        Ok(Answer::new(head.status.as_u16(), head.headers, body.to_vec()))
    }
}

fn headers(key: Option<&AccessKeyText>) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(AGENT))]);
    if let Some(key) = key {
        let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose_secret()))
            .map_err(|_| ClientError::Setup("the key is not a header".to_owned()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// The roots are those of the system or of `SSL_CERT_FILE`.
fn tls(address: &Address) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore::empty();
    if address.is_https() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(ClientError::Setup("this machine has no root certificates; set SSL_CERT_FILE".to_owned()));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Setup(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Without a connection, nothing was sent.
fn is_before_sending(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(hyper_util::client::legacy::Error::is_connect)
}

/// The error at the bottom says most: `Connection refused`.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_not_in_debug_output() {
        let key = AccessKeyText::from_bytes(&[1; 32]);
        let shown = format!("{:?}", headers(Some(&key)).unwrap());
        assert!(!shown.contains(key.expose_secret()) && shown.contains("authorization"), "{shown}");
    }
}
