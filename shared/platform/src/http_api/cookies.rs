//! Cookies of a deployment: their names, and how they are set and cleared.

use std::fmt;

/// The names of a deployment's cookies. They depend on its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookies {
    session: String,
    sign_in: String,
    is_secure: bool,
}

impl Cookies {
    /// Of the deployment at this address, `scheme://host` as browsers see it. On loopback without TLS, Safari does not keep
    /// `Secure` cookies. Ports share cookies, so the names have the port.
    pub fn new(base_url: &str) -> Self {
        match loopback_port(base_url) {
            Some(port) => {
                Self { session: format!("session-{port}"), sign_in: format!("sign-in-{port}-"), is_secure: false }
            }
            None => Self {
                session: "__Host-Http-session".to_owned(),
                sign_in: "__Host-Http-sign-in-".to_owned(),
                is_secure: true,
            },
        }
    }

    /// The name of the cookie of a session.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// What the name of the cookie of each started sign-in begins with.
    pub fn sign_in_prefix(&self) -> &str {
        &self.sign_in
    }

    /// `Set-Cookie` with a value. Without `max_age`, the browser forgets the cookie when it is closed.
    pub fn set(&self, name: &str, value: &str, max_age: Option<u64>) -> String {
        let age = max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
        format!("{name}={value}; {self}{age}")
    }

    /// `Set-Cookie` that removes a cookie.
    pub fn clear(&self, name: &str) -> String {
        self.set(name, "", Some(0))
    }
}

/// The attributes that all cookies have.
impl fmt::Display for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secure = if self.is_secure { "Secure; " } else { "" };
        write!(f, "Path=/; {secure}HttpOnly; SameSite=Strict")
    }
}

/// The port of an `http://` address of this machine; `None` for any other address.
fn loopback_port(base_url: &str) -> Option<u16> {
    let authority = base_url.strip_prefix("http://")?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, 80),
    };
    ["127.0.0.1", "localhost", "[::1]"].contains(&host).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_without_tls_has_cookies_that_are_not_secure() {
        for (address, port) in [
            ("http://127.0.0.1:3000", Some(3000)),
            ("http://localhost:3000", Some(3000)),
            ("http://[::1]:3000", Some(3000)),
            ("http://[::1]", Some(80)),
            ("http://localhost", Some(80)),
            ("https://localhost:3000", None),
            ("http://127.0.0.1.example:3000", None),
            ("http://localhost.example", None),
            ("http://example.com", None),
            ("https://example.com", None),
        ] {
            let cookies = Cookies::new(address);
            let session = port.map_or("__Host-Http-session".to_owned(), |port| format!("session-{port}"));
            assert_eq!(cookies.session(), session, "{address}");
            assert_eq!(cookies.set("a", "b", None).contains("Secure"), port.is_none(), "{address}");
        }
    }

    #[test]
    fn cookies_are_for_this_host_and_not_for_scripts() {
        let cookies = Cookies::new("https://example.com");
        let attributes = "Path=/; Secure; HttpOnly; SameSite=Strict";
        assert_eq!(cookies.set("a", "b", None), format!("a=b; {attributes}"));
        assert_eq!(cookies.set("a", "b", Some(900)), format!("a=b; {attributes}; Max-Age=900"));
        assert_eq!(cookies.clear("a"), format!("a=; {attributes}; Max-Age=0"));
    }
}
