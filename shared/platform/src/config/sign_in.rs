//! The variables of sign-in: `SIGN_IN_<cloud>_…` for each cloud.

use std::net::Ipv4Addr;

use domain::{Cloud, SignIn};

use super::error::ConfigError;
use crate::identity::credential::{Credential, ReadCredential};
use crate::identity::{CloudSettings, Settings};
use crate::outbound::Loopback;

/// The end of a variable's name, and what its value must be.
struct Variable(&'static str, &'static str);

const CLIENT_ID: Variable = Variable("CLIENT_ID", "the client id of the app registration, or leave it empty");
const ISSUER: Variable = Variable(
    "ISSUER",
    "an https URL with {tenant} once, such as https://id.example.com/realms/{tenant}, or leave it empty for the policy's",
);
const AUTHORIZE_URL: Variable = Variable(
    "AUTHORIZE_URL",
    "the https URL of the sign-in page with {tenant} once; it may be empty if the issuer ends with /{tenant}/v2.0",
);
const APPROVER_ROLES: Variable =
    Variable("APPROVER_ROLES", "role ids separated by commas, or leave it empty for the policy's");
const CREDENTIAL: Variable =
    Variable("CREDENTIAL", "the client secret, or PEM with an RSA private key and its certificate");

/// An issuer with this end has the addresses of Microsoft Entra.
const ENTRA: &str = "/{tenant}/v2.0";

/// The maximum number of characters.
const MAX_URL: usize = 2048;

const LOOPBACK_BASES: [&str; 2] = ["http://127.0.0.1", "http://localhost"];

/// Whether a base URL is that of a local run: plain http on this machine, without a path.
pub fn is_loopback(base_url: &str) -> bool {
    let rest = LOOPBACK_BASES.iter().find_map(|base| base_url.strip_prefix(base));
    rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// Whether an API at this base URL may have these settings. With sign-in, cookies and codes would travel unencrypted over plain
/// http, unless they stay on this machine.
pub fn is_allowed_at(settings: &Settings, base_url: &str) -> bool {
    settings.clouds.is_empty() || base_url.starts_with("https://") || is_loopback(base_url)
}

/// Reads the settings of each cloud that has a client id. Credentials are needed if there is something that reads them.
///
/// # Errors
/// [`ConfigError`] for the first variable that is missing or malformed.
pub fn read(
    variable: impl Fn(&str) -> Option<String>,
    credential: Option<ReadCredential>,
    base_url: Option<&str>,
) -> Result<Settings, ConfigError> {
    let local = base_url.is_some_and(is_loopback);
    let loopback = if local { Loopback::Allowed } else { Loopback::Refused };
    let mut settings = Settings { loopback, ..Settings::default() };
    for cloud in Cloud::ALL {
        let variables = Variables { variable: &variable, cloud: *cloud, loopback };
        settings.clouds.extend(variables.settings(credential)?.map(|found| (*cloud, found)));
    }
    if base_url.is_some_and(|url| !is_allowed_at(&settings, url)) {
        return Err(ConfigError {
            variable: "PUBLIC_BASE_URL".to_owned(),
            problem: "is not an https URL, which sign-in needs",
            expected: "the https URL of this API as its users see it, or leave it empty",
        });
    }
    Ok(settings)
}

/// The variables of one cloud.
struct Variables<F> {
    variable: F,
    cloud: Cloud,
    loopback: Loopback,
}

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn name(&self, variable: &Variable) -> String {
        format!("SIGN_IN_{}_{}", self.cloud.as_str().to_ascii_uppercase(), variable.0)
    }

    fn get(&self, variable: &Variable) -> Option<String> {
        (self.variable)(&self.name(variable)).filter(|value| !value.is_empty())
    }

    fn error(&self, variable: &Variable, problem: &'static str) -> ConfigError {
        ConfigError { variable: self.name(variable), problem, expected: variable.1 }
    }

    /// Every variable is read, so that a function reads the same ones in every deployment.
    fn settings(&self, read: Option<ReadCredential>) -> Result<Option<CloudSettings>, ConfigError> {
        let (issuer, authorize_url) = (self.url(&ISSUER)?, self.url(&AUTHORIZE_URL)?);
        let approver_roles = self.roles()?;
        let credential = read.map(|read| self.credential(read)).transpose()?.flatten();
        let Some(client_id) = self.get(&CLIENT_ID) else { return Ok(None) };
        if authorize_url.is_none() && issuer.as_ref().is_some_and(|issuer| !issuer.ends_with(ENTRA)) {
            return Err(self.error(&AUTHORIZE_URL, "is not set"));
        }
        if read.is_some() && credential.is_none() {
            return Err(self.error(&CREDENTIAL, "is not set"));
        }
        Ok(Some(CloudSettings { client_id, credential, issuer, authorize_url, approver_roles }))
    }

    fn url(&self, variable: &Variable) -> Result<Option<String>, ConfigError> {
        let url = self.get(variable);
        match url {
            Some(url) if !is_template(&url, self.loopback) => {
                Err(self.error(variable, "is not an https URL with {tenant} once"))
            }
            other => Ok(other),
        }
    }

    fn roles(&self) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(text) = self.get(&APPROVER_ROLES) else { return Ok(None) };
        let roles: Vec<_> = text.split(',').map(|role| role.trim().to_owned()).collect();
        if roles.iter().any(String::is_empty) {
            return Err(self.error(&APPROVER_ROLES, "has an empty role id"));
        }
        Ok(Some(roles))
    }

    fn credential(&self, read: ReadCredential) -> Result<Option<Credential>, ConfigError> {
        let parse = |text: String| read(&text);
        self.get(&CREDENTIAL).map(parse).transpose().map_err(|problem| self.error(&CREDENTIAL, problem.as_str()))
    }
}

/// Whether a text is the URL of a provider once the tenant is filled in: `https`, or `http` on this machine. The function that
/// calls the provider parses it. The others only show it, and contain no parser of URLs, which would be a large part of them.
fn is_template(text: &str, loopback: Loopback) -> bool {
    let once = text.matches(SignIn::TENANT).count() == 1;
    let filled = text.replace(SignIn::TENANT, "tenant");
    let (base, path) = split_base(&filled);
    let permitted = match base.strip_prefix("https://") {
        Some(host) => is_host(host),
        None => loopback == Loopback::Allowed && is_loopback(base),
    };
    once && permitted && text.len() <= MAX_URL && path.bytes().all(is_path_character)
}

/// Scheme, host and port, and what follows.
fn split_base(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(url.len(), |at| at + 3);
    let path = url[host..].find('/').map_or(url.len(), |at| host + at);
    url.split_at(path)
}

/// A name or an IPv4 address, with or without a port. A name whose last label begins with a digit is read as an address.
fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    let is_name_character = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let is_number =
        name.rsplit('.').next().is_some_and(|label| label.starts_with(|first: char| first.is_ascii_digit()));
    let is_name = if is_number { name.parse::<Ipv4Addr>().is_ok() } else { name.bytes().all(is_name_character) };
    !name.is_empty() && is_name && port.is_none_or(is_port)
}

fn is_path_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~/%!$&'()*+,;=:@".contains(&byte)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::outbound::ServerUrl;

    const HTTPS: Option<&str> = Some("https://partners.example.com");
    const LOCAL: Option<&str> = Some("http://127.0.0.1:3000");

    fn settings(variables: &[(&str, &str)], needed: bool, base_url: Option<&str>) -> Result<Settings, ConfigError> {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        let credential: Option<ReadCredential> = needed.then_some(Credential::parse);
        read(|name| variables.get(name).map(|value| (*value).to_owned()), credential, base_url)
    }

    /// What is accepted here must be usable when the provider is called.
    #[test]
    fn an_accepted_address_is_one_that_can_be_called() {
        let texts = [
            "https://id.example.com/{tenant}/v2.0",
            "https://id.example.com:8443/{tenant}",
            "https://{tenant}.example.com/",
            "https://ID.example.com/a%20b/{tenant}",
            "https://10.0.0.1/{tenant}",
            "http://localhost:3001/{tenant}/v2.0",
            "http://127.0.0.1/{tenant}",
            "https://10.0.0.256/{tenant}",
            "https://1.2.3.4.5/{tenant}",
            "http://localhost.example.com/{tenant}",
            "https:///{tenant}",
            "https://id.example.com",
            "https://user@id.example.com/{tenant}",
            "https://id.example.com:port/{tenant}",
            "https://id.example.com:/{tenant}",
            "https://id.example.com:65536/{tenant}",
            "https://id.example.com/{tenant}#x",
            "https://id.example.com/{tenant}?x",
            "https://id.example.com/{tenant} x",
            "https://id.example.com\\@evil.example/{tenant}",
            "https://bücher.example/{tenant}",
            "ftp://id.example.com/{tenant}",
            "{tenant}",
        ];
        let accepted = |loopback| texts.into_iter().filter(move |text| is_template(text, loopback));
        assert_eq!(accepted(Loopback::Refused).collect::<Vec<_>>(), texts[..5]);
        assert_eq!(accepted(Loopback::Allowed).collect::<Vec<_>>(), texts[..7]);
        for text in accepted(Loopback::Allowed) {
            assert!(ServerUrl::parse(&text.replace(SignIn::TENANT, "t"), Loopback::Allowed).is_some(), "{text}");
        }
    }

    const PUBLIC: (&str, &str) = ("SIGN_IN_PUBLIC_CLIENT_ID", "client");
    const SECRET: (&str, &str) = ("SIGN_IN_PUBLIC_CREDENTIAL", "secret");

    #[test]
    fn a_cloud_has_sign_in_if_it_has_a_client_id() {
        assert!(settings(&[SECRET], true, HTTPS).unwrap().clouds.is_empty());
        let both = settings(&[PUBLIC, SECRET, ("SIGN_IN_US_GOV_CLIENT_ID", "")], true, HTTPS).unwrap();
        assert_eq!(both.clouds.keys().copied().collect::<Vec<_>>(), [Cloud::Public]);
        assert!(both.clouds[&Cloud::Public].credential.is_some());
        let viewer = settings(&[PUBLIC, SECRET], false, None).unwrap();
        assert!(viewer.clouds[&Cloud::Public].credential.is_none());
    }

    #[test]
    fn an_error_names_the_variable_and_not_its_value() {
        let issuer = "SIGN_IN_PUBLIC_ISSUER";
        for (changed, base_url, name) in [
            (("SIGN_IN_PUBLIC_CREDENTIAL", ""), HTTPS, "SIGN_IN_PUBLIC_CREDENTIAL"),
            (("SIGN_IN_PUBLIC_CREDENTIAL", "{{resolve:secretsmanager:x}}"), HTTPS, "SIGN_IN_PUBLIC_CREDENTIAL"),
            (("SIGN_IN_PUBLIC_CREDENTIAL", "-----BEGIN PRIVATE KEY-----"), HTTPS, "SIGN_IN_PUBLIC_CREDENTIAL"),
            ((issuer, "https://id.example.com/v2.0"), HTTPS, issuer),
            ((issuer, "https://id.example.com/{tenant}/{tenant}/v2.0"), HTTPS, issuer),
            ((issuer, "https://id.example.com/{tenant}/{other}/v2.0"), HTTPS, issuer),
            ((issuer, "http://id.example.com/{tenant}/v2.0"), LOCAL, issuer),
            ((issuer, "http://localhost:3001/{tenant}/v2.0"), HTTPS, issuer),
            ((issuer, "https://id.example.com/realms/{tenant}"), HTTPS, "SIGN_IN_PUBLIC_AUTHORIZE_URL"),
            (("SIGN_IN_PUBLIC_APPROVER_ROLES", "a,,b"), HTTPS, "SIGN_IN_PUBLIC_APPROVER_ROLES"),
            (("X", ""), Some("http://partners.example.com"), "PUBLIC_BASE_URL"),
            (("X", ""), Some("http://127.0.0.1.example.com"), "PUBLIC_BASE_URL"),
        ] {
            let error = settings(&[PUBLIC, SECRET, changed], true, base_url).unwrap_err();
            assert_eq!(error.variable, name, "{changed:?}");
            assert!(changed.1.is_empty() || !error.to_string().contains(changed.1), "{error}");
        }
    }

    #[test]
    fn a_provider_may_be_on_this_machine_only_in_the_local_run() {
        let local = ("SIGN_IN_PUBLIC_ISSUER", "http://localhost:3001/public/{tenant}/v2.0");
        for base_url in ["http://127.0.0.1:3000", "http://localhost:3000", "http://localhost"] {
            let found = settings(&[PUBLIC, SECRET, local], true, Some(base_url)).unwrap();
            assert_eq!(found.loopback, Loopback::Allowed);
        }
        assert_eq!(settings(&[PUBLIC, SECRET], true, HTTPS).unwrap().loopback, Loopback::Refused);
    }

    #[test]
    fn only_this_machine_with_or_without_a_port_is_loopback() {
        for base_url in [
            "http://127.0.0.1",
            "http://localhost",
            "http://127.0.0.1:3000",
            "http://localhost:1",
            "http://localhost:65535",
        ] {
            assert!(is_loopback(base_url), "{base_url}");
        }
        for base_url in [
            "",
            "http://localhost:",
            "http://localhost:x",
            "http://localhost:3000x",
            "http://localhost:123456",
            "http://localhost:+1",
            "http://localhost:\u{663}",
            "http://localhost:1@evil.example",
            "http://localhost@evil.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "http://127.0.0.1:3000/",
            "http://127.0.0.1:3000/path",
            "http://127.0.0.1:3000?query",
            "http://127.0.0.1:3000#fragment",
            "http://127.0.0.2:3000",
            "http://[::1]:3000",
            "https://localhost:3000",
        ] {
            assert!(!is_loopback(base_url), "{base_url}");
        }
    }

    #[test]
    fn sign_in_needs_https_except_on_this_machine() {
        let with = settings(&[PUBLIC, SECRET], true, HTTPS).unwrap();
        for (base_url, allowed) in [
            ("https://partners.example.com", true),
            ("http://127.0.0.1:3000", true),
            ("http://partners.example.com", false),
            ("http://localhost:1@evil.example", false),
        ] {
            assert_eq!(is_allowed_at(&with, base_url), allowed, "{base_url}");
            assert!(is_allowed_at(&Settings::default(), base_url), "{base_url}");
        }
    }

    #[test]
    fn another_provider_and_other_roles_replace_those_of_the_policy() {
        let found = settings(
            &[
                PUBLIC,
                SECRET,
                ("SIGN_IN_PUBLIC_ISSUER", "https://id.example.com/realms/{tenant}"),
                ("SIGN_IN_PUBLIC_AUTHORIZE_URL", "https://id.example.com/realms/{tenant}/protocol/openid-connect/auth"),
                ("SIGN_IN_PUBLIC_APPROVER_ROLES", "approver, other"),
            ],
            true,
            HTTPS,
        )
        .unwrap();
        let policy = SignIn { issuer: "x".to_owned(), approver_roles: Vec::new(), max_age_seconds: 900 };
        let rules = found.clouds[&Cloud::Public].rules(&policy);
        assert_eq!(rules.issuer, "https://id.example.com/realms/{tenant}");
        assert_eq!(
            (rules.approver_roles, rules.max_age_seconds),
            (vec!["approver".to_owned(), "other".to_owned()], 900)
        );
    }
}
