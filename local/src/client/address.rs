//! Where a deployment is.

use std::fmt;

use url::{Host, Url};

/// The base address of a deployment: `https`, or `http` on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    base: String,
    is_https: bool,
}

/// Why a text is not the address of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("not an address; expected for example https://partners.example.com")]
    Malformed,
    #[error("http is allowed only for 127.0.0.1, [::1] and localhost; use https")]
    Unencrypted,
    #[error("a user name, password, query or fragment is not allowed in the address")]
    Extra,
}

impl Address {
    /// The local run.
    pub const LOCAL: &'static str = "http://127.0.0.1:3000";

    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|_| AddressError::Malformed)?;
        let host = url.host().ok_or(AddressError::Malformed)?;
        let is_https = match url.scheme() {
            "https" => true,
            "http" if is_loopback(&host) => false,
            "http" => return Err(AddressError::Unencrypted),
            _ => return Err(AddressError::Malformed),
        };
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Extra);
        }
        Ok(Self { base: url.as_str().trim_end_matches('/').to_owned(), is_https })
    }

    /// Without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.base
    }

    pub fn is_https(&self) -> bool {
        self.is_https
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_on_this_machine() {
        for (text, base) in [
            (Address::LOCAL, Address::LOCAL),
            ("http://localhost:80/", "http://localhost"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("HTTPS://Partners.Example.com/", "https://partners.example.com"),
            ("https://example.com/partners/", "https://example.com/partners"),
        ] {
            assert_eq!(Address::parse(text).unwrap().as_str(), base);
        }
        for (text, error) in [
            ("", AddressError::Malformed),
            ("127.0.0.1:3000", AddressError::Malformed),
            ("ftp://127.0.0.1", AddressError::Malformed),
            ("http://example.com", AddressError::Unencrypted),
            ("http://127.0.0.1.example.com", AddressError::Unencrypted),
            ("https://user@example.com", AddressError::Extra),
            ("https://example.com/?a", AddressError::Extra),
            ("https://example.com/#a", AddressError::Extra),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text}");
        }
    }
}
