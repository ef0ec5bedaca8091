//! The sign-in page: what the address asks for, and what the person chooses.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use domain::{Cloud, TenantId};
use platform::config::sign_in::is_loopback;
use platform::outbound::{Loopback, ServerUrl};

use super::pages;
use super::people::{self, SamplePerson};
use super::place::Place;
use super::site::{Code, Site, client_id};

/// The parameters of a form or query. The last of several with one name counts.
pub(super) type Parameters = BTreeMap<String, String>;

pub(super) fn parameters(text: &str) -> Parameters {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// A valid request for a sign-in.
pub(super) struct Request {
    cloud: Cloud,
    tenant: TenantId,
    redirect_uri: String,
    state: String,
    nonce: String,
    challenge: String,
    /// Whether the response goes into the fragment and not into the query.
    fragment: bool,
}

/// What the sign-in page does next.
pub(super) enum Next {
    Page(String),
    Redirect(String),
}

/// Whether a redirect URI is that of an API on this machine: exactly one path, at another server than this one.
fn is_registered(site: &Site, cloud: Cloud, redirect_uri: &str) -> bool {
    let origin = redirect_uri.strip_suffix(&format!("/signed-in/{cloud}")).filter(|origin| is_loopback(origin));
    let server = |url: &str| ServerUrl::parse(url, Loopback::Allowed);
    // A port can be written in several ways, so texts are not compared.
    origin.and_then(server).zip(server(&site.url)).is_some_and(|(api, own)| !api.is_same_server(&own))
}

impl Request {
    /// # Errors
    /// The parameter that is wrong. Then nothing goes back to the app, because the address to go to may be wrong too.
    pub(super) fn parse(site: &Site, place: &Place, query: &str) -> Result<Self, &'static str> {
        let given = parameters(query);
        let get = |name: &'static str| given.get(name).filter(|value| !value.is_empty()).ok_or(name);
        let is = |name: &'static str, expected: &str| match get(name)? {
            value if value == expected => Ok(()),
            _ => Err(name),
        };
        is("client_id", client_id(place.cloud))?;
        is("response_type", "code")?;
        is("code_challenge_method", "S256")?;
        let challenge = get("code_challenge")?.clone();
        if !BASE64URL_NOPAD.decode(challenge.as_bytes()).is_ok_and(|hash| hash.len() == 32) {
            return Err("code_challenge");
        }
        if !get("scope")?.split(' ').any(|scope| scope == "openid") {
            return Err("scope");
        }
        let redirect_uri = get("redirect_uri")?.clone();
        if !is_registered(site, place.cloud, &redirect_uri) {
            return Err("redirect_uri");
        }
        Ok(Self {
            cloud: place.cloud,
            tenant: place.tenant.clone(),
            redirect_uri,
            state: get("state")?.clone(),
            nonce: get("nonce")?.clone(),
            challenge,
            fragment: match given.get("response_mode").map(String::as_str) {
                Some("fragment") => true,
                None | Some("query") => false,
                Some(_) => return Err("response_mode"),
            },
        })
    }

    /// The first page.
    pub(super) fn page(&self) -> String {
        pages::people(&self.tenant, &self.redirect_uri)
    }

    /// What follows a choice on a page.
    pub(super) fn choose(&self, site: &Site, choice: &Parameters) -> Next {
        let get = |name: &str| choice.get(name).map(String::as_str);
        if let Some(error) = get("error").filter(|error| !error.is_empty()) {
            let parameters = [("error", error), ("error_description", "Chosen on the sign-in page.")];
            return Next::Redirect(self.back(site, &parameters));
        }
        let Some(person) = get("person").and_then(people::find) else { return Next::Page(self.page()) };
        let slow = get("slow").is_some();
        match get("consent") {
            Some("accept") => Next::Redirect(self.grant(site, person, slow)),
            Some(_) => Next::Redirect(self.back(site, &[("error", "access_denied"), ("error_subcode", "cancel")])),
            None if site.has_consent(self.cloud, &self.tenant) => Next::Redirect(self.grant(site, person, slow)),
            None => Next::Page(pages::consent(person, slow)),
        }
    }

    /// Signs the person in, with consent. Returns the address with the code.
    pub(super) fn grant(&self, site: &Site, person: &'static SamplePerson, slow: bool) -> String {
        site.consent(self.cloud, &self.tenant);
        let code = site.issue(Code {
            cloud: self.cloud,
            tenant: self.tenant.clone(),
            person,
            redirect_uri: self.redirect_uri.clone(),
            nonce: self.nonce.clone(),
            challenge: self.challenge.clone(),
            at: site.now(),
            slow,
        });
        self.back(site, &[("code", &code), ("session_state", "development")])
    }

    /// The app's address with these parameters, the state and the issuer (RFC 9207).
    fn back(&self, site: &Site, parameters: &[(&str, &str)]) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(parameters).append_pair("state", &self.state);
        text.append_pair("iss", &site.issuer(self.cloud, &self.tenant));
        let mark = if self.fragment { '#' } else { '?' };
        format!("{}{mark}{}", self.redirect_uri, text.finish())
    }
}
