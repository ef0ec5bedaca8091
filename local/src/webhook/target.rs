//! Where a command sends webhooks: a program on this machine or, if it is allowed, an endpoint elsewhere. The sender is the one of
//! a deployment, with its limits on time and size. It follows no redirect.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use platform::clock::Clock;
use platform::outbound::{
    Attempted, EndpointUrl, Failure, Loopback, Message, Outcome, Sender, SenderError, Settings, SystemResolver,
    UrlFault,
};
use platform::secrets::signature::{SigningSecret, sign};

/// The names of this machine in URLs. The sender knows only the first.
const THIS_MACHINE: [&str; 2] = ["http://127.0.0.1", "http://localhost"];

/// Why messages cannot be sent to a URL.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error("{0} names no port; write it as in http://127.0.0.1:4000/")]
    Port(String),
    #[error(
        "{0} is not on this machine. Use http://127.0.0.1:PORT, or allow an https address elsewhere with --allow-remote"
    )]
    NotHere(String),
    #[error("{url}: the URL {fault}")]
    Url { url: String, fault: UrlFault },
    #[error(transparent)]
    Sender(#[from] SenderError),
}

/// A receiver of signed messages.
pub struct Target {
    url: EndpointUrl,
    sender: Sender,
    secret: SigningSecret,
}

impl Target {
    /// A receiver at `http://127.0.0.1:PORT`, or with `remote` at a public https URL.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn new(url: &str, remote: bool, secret: SigningSecret) -> Result<Self, TargetError> {
        Self::with_limit(url, remote, secret, Settings::default().total)
    }

    /// With another time limit for an attempt.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn with_limit(url: &str, remote: bool, secret: SigningSecret, total: Duration) -> Result<Self, TargetError> {
        let settings = Settings { total, ..Settings::default() };
        let sender = Sender::with(Arc::new(SystemResolver), Loopback::Allowed, settings)?;
        Ok(Self { url: parse(url, remote)?, sender, secret })
    }

    /// The normalized URL.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Sends a message once, signed for this moment.
    pub async fn send(&self, id: &str, body: &[u8], clock: &dyn Clock) -> Attempted {
        let timestamp = clock.now().seconds();
        let signature = sign(&self.secret, id, timestamp, body);
        self.sender.send(&self.url, &Message { id, timestamp, signature, body }).await
    }
}

fn parse(url: &str, remote: bool) -> Result<EndpointUrl, TargetError> {
    let rest = THIS_MACHINE.iter().find_map(|name| url.strip_prefix(name));
    // The name may go on, as in `http://localhost.example`.
    let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']));
    let fault = |fault| TargetError::Url { url: url.to_owned(), fault };
    match rest {
        Some(rest) if rest.starts_with(':') => {
            EndpointUrl::parse(&format!("{}{rest}", THIS_MACHINE[0]), Loopback::Allowed).map_err(fault)
        }
        Some(_) => Err(TargetError::Port(url.to_owned())),
        None if remote => EndpointUrl::parse(url, Loopback::Refused).map_err(fault),
        None => Err(TargetError::NotHere(url.to_owned())),
    }
}

/// What happened to an attempt, in a few words: `204 in 12 ms`.
pub fn spoken(attempted: &Attempted) -> String {
    let mut text = match &attempted.outcome {
        Outcome::Answered(reply) => reply.status.to_string(),
        Outcome::Failed(failure) => reason(*failure).to_owned(),
    };
    let _ = write!(text, " in {} ms", attempted.latency.as_millis());
    if matches!(&attempted.outcome, Outcome::Answered(reply) if (300..400).contains(&reply.status)) {
        text.push_str(" (a redirect; redirects are not followed)");
    }
    text
}

fn reason(failure: Failure) -> &'static str {
    match failure {
        Failure::Forbidden => "not sent, because the address is not public,",
        Failure::Dns => "the name has no address,",
        Failure::Connect => "nothing listens there,",
        Failure::Tls => "no TLS connection: the certificate is not valid for the name,",
        Failure::Timeout => "no response",
        Failure::Protocol => "no HTTP response",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_a_target_unless_another_is_allowed() {
        for (url, parsed) in [
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000/"),
            ("http://localhost:4000/hooks?a=1", "http://127.0.0.1:4000/hooks?a=1"),
        ] {
            assert_eq!(parse(url, false).unwrap().as_str(), parsed);
        }
        for url in ["http://localhost", "http://127.0.0.1/hooks"] {
            assert!(matches!(parse(url, true), Err(TargetError::Port(_))), "{url}");
        }
        let elsewhere = ["https://example.com/", "http://localhost.example.com:80/", "http://10.0.0.1:80/", "4000", ""];
        for url in elsewhere {
            assert!(matches!(parse(url, false), Err(TargetError::NotHere(_))), "{url}");
        }
        assert_eq!(parse(elsewhere[0], true).unwrap().as_str(), elsewhere[0]);
        for url in &elsewhere[1..] {
            assert!(matches!(parse(url, true), Err(TargetError::Url { .. })), "{url}");
        }
        assert!(matches!(parse("http://127.0.0.1:4000/#x", false), Err(TargetError::Url { .. })));
    }
}
