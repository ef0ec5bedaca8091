//! The URL of an endpoint: what may be registered, and what may be sent to. The same code checks both, so a stored URL is
//! checked again under the current rules when it is read.

use std::fmt;

use domain::text;
use url::{Host, Position, Url};

use super::url_fault::UrlFault;

/// The maximum number of characters.
const MAX_URL: usize = 2048;

const PORTS: [&str; 2] = ["443", "8443"];
const LOOPBACK: &str = "http://127.0.0.1:";

/// Names that are not in the public internet: RFC 6762 (`local`), RFC 6761 (`localhost`), RFC 7686 (`onion`), RFC 8375
/// (`home.arpa`), and `internal`, which ICANN reserved for private use.
const LOCAL_NAMES: [&str; 5] = ["local", "internal", "localhost", "home.arpa", "onion"];

/// Whether messages may be sent to `http://127.0.0.1:<port>`: only locally and in tests, never in a deployed function, where
/// the runtime's own API listens on that address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loopback {
    #[default]
    Refused,
    Allowed,
}

/// The URL of an endpoint, normalized. Two spellings of one URL are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndpointUrl {
    url: Url,
    loopback: bool,
}

impl EndpointUrl {
    /// Parses a URL: `https`, a host name, port 443 or 8443, a path and a query, at most 2048 characters. With
    /// [`Loopback::Allowed`] also `http://127.0.0.1:<port>` with a path and a query.
    ///
    /// The text must be what the parsed URL serializes to, so that no other parser can read it differently. Only the case of
    /// scheme and host, an explicit port 443 and a missing path `/` may differ.
    ///
    /// The addresses of the host name may change at any time, so they are checked before each connection and not here.
    ///
    /// # Errors
    /// [`UrlFault`].
    pub fn parse(text: &str, loopback: Loopback) -> Result<Self, UrlFault> {
        check_characters(text)?;
        let loopback = loopback == Loopback::Allowed && text.starts_with(LOOPBACK);
        let given = Given::split(text, if loopback { "http://" } else { "https://" })?;
        let url = if loopback { given.parse()? } else { given.parse_public()? };
        if url.as_str().len() > MAX_URL {
            return Err(UrlFault::TooLong);
        }
        Ok(Self { url, loopback })
    }

    /// The normalized URL.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The host name in lower case, without the port.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// Whether it is `http://127.0.0.1:<port>`, without TLS.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Path and query, as in the first line of a request.
    pub fn target(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// The value of the header `host`: with the port, unless it is the scheme's default.
    pub fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }
}

#[cfg(test)]
impl EndpointUrl {
    /// The same URL with the port of a test's server.
    pub(super) fn with_port(mut self, port: u16) -> Self {
        self.url.set_port(Some(port)).unwrap();
        self
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Rules for every part of a URL.
fn check_characters(text: &str) -> Result<(), UrlFault> {
    // First, so that a very long text is not scanned.
    if text.chars().nth(MAX_URL).is_some() {
        return Err(UrlFault::TooLong);
    }
    if !text.is_ascii() {
        return Err(UrlFault::NotAscii);
    }
    if text.contains('#') {
        return Err(UrlFault::Fragment);
    }
    let is_url_character = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&b);
    if text.bytes().all(is_url_character) && is_percent_encoded(text) { Ok(()) } else { Err(UrlFault::Character) }
}

/// Whether every `%` is followed by two hexadecimal digits.
fn is_percent_encoded(text: &str) -> bool {
    let is_encoded =
        |after: &str| matches!(after.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    text.split('%').skip(1).all(is_encoded)
}

/// A URL as it was given, split into its parts.
struct Given<'a> {
    scheme: &'static str,
    authority: &'a str,
    host: &'a str,
    port: Option<&'a str>,
    /// What follows the authority.
    rest: &'a str,
}

impl<'a> Given<'a> {
    fn split(text: &'a str, scheme: &'static str) -> Result<Self, UrlFault> {
        let (start, rest) = text.split_at_checked(scheme.len()).ok_or(UrlFault::Scheme)?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        if !start.eq_ignore_ascii_case(scheme) {
            return Err(UrlFault::Scheme);
        }
        if authority.contains('@') {
            return Err(UrlFault::Userinfo);
        }
        Ok(Self { scheme, authority, host, port, rest })
    }

    /// The URL, if it serializes to what was given.
    fn parse(&self) -> Result<Url, UrlFault> {
        let port = self.port.filter(|port| (self.scheme, *port) != ("https://", "443"));
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let path = if self.rest.starts_with('/') { "" } else { "/" };
        let text = format!("{}{}{port}{path}{}", self.scheme, self.host.to_ascii_lowercase(), self.rest);
        let url = Url::parse(&text).map_err(|error| self.fault(error))?;
        let is_same_host = url.host_str().is_some_and(|host| self.host.eq_ignore_ascii_case(host));
        match url.host() {
            Some(Host::Ipv4(_) | Host::Ipv6(_)) if self.scheme == "https://" => Err(UrlFault::Address),
            _ if !is_same_host => Err(UrlFault::Host),
            _ if url.port() == Some(0) => Err(UrlFault::Port),
            _ if url.as_str() == text => Ok(url),
            _ => Err(UrlFault::NotNormalized),
        }
    }

    /// As [`Given::parse`]; the URL may be in the public internet.
    fn parse_public(&self) -> Result<Url, UrlFault> {
        if self.authority.contains(['[', ']']) {
            return Err(UrlFault::Address);
        }
        if self.port.is_some_and(|port| !PORTS.contains(&port)) {
            return Err(UrlFault::Port);
        }
        let url = self.parse()?;
        let name = text::domain_name(self.host).map_err(|_| UrlFault::Host)?;
        let is_below = |top: &&str| name.strip_suffix(top).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if LOCAL_NAMES.iter().any(is_below) { Err(UrlFault::LocalName) } else { Ok(url) }
    }

    fn fault(&self, error: url::ParseError) -> UrlFault {
        match error {
            url::ParseError::InvalidIpv4Address | url::ParseError::InvalidIpv6Address => UrlFault::Address,
            url::ParseError::InvalidPort => UrlFault::Port,
            _ => UrlFault::Host,
        }
    }
}
