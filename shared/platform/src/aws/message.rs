//! From the SDK's requests to hyper's, and back.

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Bytes;

pub(super) type Body = Full<Bytes>;

/// What a request is sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    secure: bool,
    authority: Authority,
}

impl Target {
    fn of(uri: &Uri) -> Option<Self> {
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return None,
        };
        Some(Self { secure, authority: uri.authority()?.clone() })
    }

    /// Whether TLS is used.
    pub(super) fn is_secure(&self) -> bool {
        self.secure
    }

    /// The name or the address. An IPv6 address has no brackets.
    pub(super) fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    pub(super) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(self.usual_port())
    }

    fn usual_port(&self) -> u16 {
        if self.secure { 443 } else { 80 }
    }

    /// The value of the header `host`: with the port, unless it is the scheme's.
    fn header(&self) -> &str {
        let is_usual = self.port() == self.usual_port();
        if is_usual { self.authority.host() } else { self.authority.as_str() }
    }
}

/// The request, with only the path in its first line, and what it is sent to.
pub(super) fn from_sdk(request: HttpRequest) -> Result<(Target, Request<Body>), ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (mut head, body) = request.into_parts();
    let target = Target::of(&head.uri).ok_or_else(|| ConnectorError::user("the URL is not http or https".into()))?;
    let body = body.bytes().ok_or_else(|| ConnectorError::user("the request has a streaming body".into()))?;
    let body = Body::new(Bytes::copy_from_slice(body));
    let host = HeaderValue::from_str(target.header()).map_err(|error| ConnectorError::user(error.into()))?;
    head.headers.insert(HOST, host);
    head.uri = head.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")).into();
    Ok((target, Request::from_parts(head, body)))
}

pub(super) fn to_sdk(response: Response<Bytes>) -> Result<HttpResponse, ConnectorError> {
    HttpResponse::try_from(response.map(SdkBody::from)).map_err(|error| ConnectorError::other(error.into(), None))
}
