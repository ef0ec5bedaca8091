//! Requests to servers that the deployment itself names, such as identity providers. Their addresses are not checked, because
//! the server may be in a private network. Everything else is limited as for webhooks: TLS, time and size. A redirect is a
//! response.

use std::sync::Arc;

use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use hyper::body::Bytes;
use tokio::time::Instant;
use url::{Position, Url};

use super::connect::{Connector, Place};
use super::endpoint_url::Loopback;
use super::exchange::{AGENT, Response, round_trip};
use super::reply::Failure;
use super::tls::{SenderError, Tls};
use crate::network::resolve::Resolver;

/// The maximum number of bytes of a body.
const MAX_BODY: usize = 64 * 1024;

/// The maximum number of characters of a URL.
const MAX_URL: usize = 2048;

/// The names of this machine.
const LOOPBACK_HOSTS: [&str; 2] = ["localhost", "127.0.0.1"];

/// The URL of a server: `https`, or with [`Loopback::Allowed`] `http` to `localhost` or `127.0.0.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl(Url);

impl ServerUrl {
    /// `None` for any other URL, and for one with user, password or fragment.
    pub fn parse(text: &str, loopback: Loopback) -> Option<Self> {
        let url = Url::parse(text).ok().filter(|url| url.as_str().len() <= MAX_URL)?;
        let permitted = match url.scheme() {
            "https" => true,
            "http" => {
                loopback == Loopback::Allowed && url.host_str().is_some_and(|host| LOOPBACK_HOSTS.contains(&host))
            }
            _ => false,
        };
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        (permitted && plain && url.has_host()).then_some(Self(url))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Host name, and port unless it is the scheme's default.
    pub fn authority(&self) -> &str {
        &self.0[Position::BeforeHost..Position::AfterPort]
    }

    /// Whether both have the same scheme, host and port.
    pub fn is_same_server(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }

    fn place(&self) -> Place<'_> {
        Place {
            host: self.0.host_str().unwrap_or_default(),
            port: self.0.port_or_known_default().unwrap_or_default(),
            loopback: self.0.scheme() == "http",
        }
    }
}

/// Why there is no usable response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchError {
    Failed(Failure),
    /// The body was cut off, or is larger than 64 KiB.
    Body,
}

impl FetchError {
    /// The name in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.as_str(),
            Self::Body => "body",
        }
    }
}

/// A status and a whole body.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Sends requests, each over its own connection.
pub struct Fetcher {
    connector: Connector,
}

impl Fetcher {
    /// Trusts the roots of a PEM text, or the system's.
    ///
    /// # Errors
    /// [`SenderError`].
    pub fn new(resolver: Arc<dyn Resolver>, roots: Option<&[u8]>, loopback: Loopback) -> Result<Self, SenderError> {
        let tls = Tls::new(roots, loopback)?;
        Ok(Self { connector: Connector { resolver, tls, loopback, permits: |_| true } })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn get(&self, url: &ServerUrl, deadline: Instant) -> Result<Fetched, FetchError> {
        self.send(url, Request::new(String::new()), deadline).await
    }

    /// Posts a form.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn post_form(&self, url: &ServerUrl, form: String, deadline: Instant) -> Result<Fetched, FetchError> {
        let mut request = Request::new(form);
        *request.method_mut() = Method::POST;
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        self.send(url, request, deadline).await
    }

    /// Sends a request to a URL, whose own URI is not used.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn send(
        &self,
        url: &ServerUrl,
        request: Request<String>,
        deadline: Instant,
    ) -> Result<Fetched, FetchError> {
        let request = complete(url, request).ok_or(FetchError::Failed(Failure::Protocol))?;
        let stream = self.connector.open(url.place(), deadline).await.map_err(FetchError::Failed)?;
        // One byte more, so that a body of the largest size is known to be complete.
        let response = round_trip(stream, request, MAX_BODY + 1, deadline).await.map_err(FetchError::Failed)?;
        let Response { head, body, complete } = response;
        if complete { Ok(Fetched { status: head.status.as_u16(), body }) } else { Err(FetchError::Body) }
    }
}

/// Adds the target and the headers that every request has.
fn complete(url: &ServerUrl, request: Request<String>) -> Option<Request<Full<Bytes>>> {
    let mut request = request.map(Full::from);
    *request.uri_mut() = url.0[Position::BeforePath..Position::AfterQuery].parse().ok()?;
    let host = HeaderValue::from_str(url.authority()).ok()?;
    let headers = request.headers_mut();
    headers.insert(HOST, host);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/html;q=0.5"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    Some(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, loopback: Loopback) -> Option<ServerUrl> {
        ServerUrl::parse(text, loopback)
    }

    #[test]
    fn plain_http_is_for_this_machine_in_the_local_run_only() {
        for text in ["http://localhost:3001/a", "http://127.0.0.1:3001/a"] {
            assert!(parse(text, Loopback::Allowed).is_some(), "{text}");
            assert!(parse(text, Loopback::Refused).is_none(), "{text}");
        }
        for text in ["http://10.0.0.1/a", "http://example.com/", "http://localhost.example.com/", "ftp://localhost/"] {
            assert!(parse(text, Loopback::Allowed).is_none(), "{text}");
        }
    }

    #[test]
    fn a_url_has_no_user_password_or_fragment() {
        for text in ["https://a@example.com/", "https://a:b@example.com/", "https://example.com/#a", "https://", "a"] {
            assert!(parse(text, Loopback::Refused).is_none(), "{text}");
        }
        assert!(parse("https://example.com", Loopback::Refused).is_some());
    }

    #[test]
    fn a_server_is_its_scheme_host_and_port() {
        let server = |text| parse(text, Loopback::Allowed).unwrap();
        assert!(server("https://example.com/a").is_same_server(&server("https://example.com:443/b?c")));
        for other in ["https://example.com:8443/", "https://www.example.com/", "http://localhost/"] {
            assert!(!server("https://example.com/").is_same_server(&server(other)), "{other}");
        }
    }
}
