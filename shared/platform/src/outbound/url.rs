//! The URL of an endpoint: what may be registered, and what may be sent to. The two are checked by the same code, so a
//! URL that was stored before a rule changed is checked again when it is read.
//!
//! Written by hand and not by a library, because a library repairs: what can be read in two ways is refused here.

use std::fmt;

use domain::text;

/// The most characters of a URL.
const MAX_URL: usize = 2048;

const HTTPS: &str = "https://";
const DEFAULT_PORT: u16 = 443;
const OTHER_PORT: u16 = 8443;
/// All that a URL for tests may begin with.
const LOOPBACK: &str = "http://127.0.0.1:";

/// Names that never lead into the public internet: RFC 6762 (`local`), RFC 6761 (`localhost`), RFC 7686 (`onion`),
/// RFC 8375 (`home.arpa`), and `internal`, which ICANN set aside for private use.
const LOCAL_NAMES: [&str; 5] = ["local", "internal", "localhost", "home.arpa", "onion"];

/// Whether `http://127.0.0.1:<port>` is a URL to send to: on one machine and in tests, never in a deployed function,
/// where the runtime's own API listens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loopback {
    /// It isn't.
    Refused,
    /// It is.
    Allowed,
}

/// Where an endpoint is: a URL that [`EndpointUrl::parse`] took, scheme and host in lower case and the rest as given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndpointUrl {
    text: String,
    host: String,
    port: u16,
    /// Path and query as they are asked for; never empty.
    target: String,
    loopback: bool,
}

/// Why a text is no URL of an endpoint. Holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.detail())]
pub enum UrlFault {
    /// More than 2048 characters.
    TooLong,
    /// A character that isn't ASCII.
    NotAscii,
    /// A character that no URL holds, or a `%` that two hexadecimal digits don't follow (RFC 3986 §2).
    Character,
    /// Not `https`.
    Scheme,
    /// A name or password before the host.
    Userinfo,
    /// A fragment.
    Fragment,
    /// A port other than 443 and 8443, or one that isn't written as these are.
    Port,
    /// An address in place of a name, in any spelling, or brackets.
    Address,
    /// Not a host name of two labels or more.
    Host,
    /// A name that doesn't lead into the public internet.
    LocalName,
}

impl UrlFault {
    /// What is expected, for the caller of the API. Never holds the value.
    pub fn detail(self) -> &'static str {
        match self {
            Self::TooLong => "must have at most 2048 characters",
            Self::NotAscii => {
                "must be ASCII: the host in its punycode (xn--) form, other characters percent-encoded as UTF-8"
            }
            Self::Character => {
                "must hold no space, backslash or control character, nor any other that a URL has to percent-encode"
            }
            Self::Scheme => "must begin with https://",
            Self::Userinfo => "must hold no user name or password",
            Self::Fragment => "must hold no fragment",
            Self::Port => "must use port 443 or 8443",
            Self::Address => "must name its host, not give an IP address",
            Self::Host => {
                "must name a host of two labels or more, each of letters, digits and inner hyphens, without a trailing \
                 dot"
            }
            Self::LocalName => "must name a host of the public internet",
        }
    }
}

impl EndpointUrl {
    /// Reads a URL: `https`, a host name, port 443 or 8443, a path and a query, at most 2048 characters. With
    /// [`Loopback::Allowed`] also `http://127.0.0.1:<port>` with a path and a query.
    ///
    /// Says nothing about the addresses of the name, which may change at any time; they are looked at by who connects.
    ///
    /// # Errors
    /// See [`UrlFault`].
    pub fn parse(text: &str, loopback: Loopback) -> Result<Self, UrlFault> {
        check_characters(text)?;
        if let (Loopback::Allowed, Some(rest)) = (loopback, text.strip_prefix(LOOPBACK)) {
            return Self::of_loopback(rest);
        }
        let rest = strip_scheme(text).ok_or(UrlFault::Scheme)?;
        let (authority, rest) = split_authority(rest);
        let (host, port) = read_authority(authority)?;
        let host = read_host(host)?;
        let port_text = authority.find(':').map_or("", |at| &authority[at..]);
        let text = format!("{HTTPS}{host}{port_text}{rest}");
        Ok(Self { text, host, port, target: target(rest), loopback: false })
    }

    /// What follows [`LOOPBACK`].
    fn of_loopback(rest: &str) -> Result<Self, UrlFault> {
        let (port, rest) = split_authority(rest);
        let number = port.parse().ok().filter(|n: &u16| *n != 0 && n.to_string() == port).ok_or(UrlFault::Port)?;
        let text = format!("{LOOPBACK}{port}{rest}");
        Ok(Self { text, host: "127.0.0.1".to_owned(), port: number, target: target(rest), loopback: true })
    }

    /// The whole URL.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host: a name in lower case, without a port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is `http://127.0.0.1:<port>`, without TLS.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Path and query, as the first line of a request has them; begins with `/`.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The value of the header `host`: the port stands there unless it is the scheme's own.
    pub fn authority(&self) -> String {
        if self.port == DEFAULT_PORT && !self.loopback {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
impl EndpointUrl {
    /// The same on a port where a test may listen.
    pub(super) fn on_port(self, port: u16) -> Self {
        Self { port, ..self }
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What holds for every part alike.
fn check_characters(text: &str) -> Result<(), UrlFault> {
    // Before the scans, so that a megabyte costs no more than the limit.
    if text.chars().nth(MAX_URL).is_some() {
        return Err(UrlFault::TooLong);
    }
    if !text.is_ascii() {
        return Err(UrlFault::NotAscii);
    }
    if text.contains('#') {
        return Err(UrlFault::Fragment);
    }
    if text.bytes().all(is_url_character) && percent_signs_are_followed_by_digits(text) {
        Ok(())
    } else {
        Err(UrlFault::Character)
    }
}

/// RFC 3986 §2.2 and §2.3, and `%`.
fn is_url_character(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b)
}

fn percent_signs_are_followed_by_digits(text: &str) -> bool {
    let is_encoded =
        |after: &str| matches!(after.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    text.split('%').skip(1).all(is_encoded)
}

fn strip_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked(HTTPS.len())?;
    scheme.eq_ignore_ascii_case(HTTPS).then_some(rest)
}

/// The authority ends where path or query begins.
fn split_authority(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()))
}

fn read_authority(authority: &str) -> Result<(&str, u16), UrlFault> {
    if authority.contains('@') {
        return Err(UrlFault::Userinfo);
    }
    if authority.contains(['[', ']']) {
        return Err(UrlFault::Address);
    }
    match authority.split_once(':') {
        None => Ok((authority, DEFAULT_PORT)),
        Some((host, "443")) => Ok((host, DEFAULT_PORT)),
        Some((host, "8443")) => Ok((host, OTHER_PORT)),
        Some(_) => Err(UrlFault::Port),
    }
}

fn read_host(host: &str) -> Result<String, UrlFault> {
    if ends_in_a_number(host) {
        return Err(UrlFault::Address);
    }
    let name = text::domain_name(host).map_err(|_| UrlFault::Host)?;
    let is_below = |top: &str| name.strip_suffix(top).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if LOCAL_NAMES.into_iter().any(is_below) { Err(UrlFault::LocalName) } else { Ok(name) }
}

/// Whether a host would be read as an address by those who read octal, hexadecimal, one number or few (the URL
/// standard's "ends in a number"; a trailing dot doesn't change that).
fn ends_in_a_number(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let is_decimal = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
    is_decimal || last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"))
}

fn target(rest: &str) -> String {
    if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") }
}
