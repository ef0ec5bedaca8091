//! Proxies of an organization's network, from the variables `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::{Address, ClientError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens TCP connections to a deployment, through a proxy or not. TLS is between this program and the deployment in both cases.
#[derive(Clone)]
pub(super) enum Tcp {
    Direct(HttpConnector),
    Tunnel(Tunnel<HttpConnector>),
}

/// The connector, and the name of the proxy for messages: without its user and password.
pub(super) fn connector(address: &Address, proxies: &Matcher) -> Result<(Tcp, Option<String>), ClientError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    // An address without TLS is on this machine.
    let destination = address.as_str().parse().ok().filter(|_| address.is_https());
    let Some(proxy) = destination.and_then(|destination: Uri| proxies.intercept(&destination)) else {
        return Ok((Tcp::Direct(tcp), None));
    };
    let name = proxy.uri().authority().map(|authority| authority.to_string()).unwrap_or_default();
    let name = name.rsplit('@').next().unwrap_or_default().to_owned();
    if proxy.uri().scheme_str() != Some("http") {
        return Err(ClientError::Setup(format!(
            "the proxy {name} is not an http:// address; only those are supported"
        )));
    }
    let tunnel = Tunnel::new(proxy.uri().clone(), tcp);
    let tunnel = match proxy.basic_auth() {
        Some(password) => tunnel.with_auth(password.clone()),
        None => tunnel,
    };
    Ok((Tcp::Tunnel(tunnel), Some(name)))
}

type Failure = Box<dyn Error + Send + Sync>;

impl Service<Uri> for Tcp {
    type Response = TokioIo<TcpStream>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        match self {
            Self::Direct(tcp) => tcp.poll_ready(context).map_err(Into::into),
            Self::Tunnel(tunnel) => tunnel.poll_ready(context).map_err(Into::into),
        }
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        match self {
            Self::Direct(tcp) => {
                let connected = tcp.call(destination);
                Box::pin(async { connected.await.map_err(Into::into) })
            }
            Self::Tunnel(tunnel) => {
                let connected = tunnel.call(destination);
                Box::pin(async { connected.await.map_err(Into::into) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_depends_on_the_address() {
        let proxies = Matcher::builder().https("http://user:word@proxy.example:8080").no("inside.example").build();
        for (address, proxy) in [
            ("https://partners.example.com", Some("proxy.example:8080")),
            ("https://api.inside.example", None),
            (Address::LOCAL, None),
        ] {
            let (_, name) = connector(&Address::parse(address).unwrap(), &proxies).unwrap();
            assert_eq!(name.as_deref(), proxy, "{address}");
        }
        let socks = Matcher::builder().https("socks5://user:word@proxy.example:1080").build();
        let error = connector(&Address::parse("https://partners.example.com").unwrap(), &socks).err().unwrap();
        let text = error.to_string();
        assert!(text.contains("the proxy proxy.example:1080 is not an http:// address") && !text.contains("word"));
    }
}
