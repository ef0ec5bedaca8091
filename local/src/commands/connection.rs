//! Which deployment a command calls, and with which key.

use std::env;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use local::client::{Address, AddressError, Client, ClientError, Profile, ProfileError, Profiles};
use platform::secrets::AccessKeyText;

use crate::output;
use crate::secret_source::{self, SecretError};

pub const URL: &str = "MULTIPARTNER_URL";
pub const PROFILE: &str = "MULTIPARTNER_PROFILE";

/// The deployment and the key. The key is never an argument: other users can see arguments.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Connection {
    /// Address of the deployment; default: MULTIPARTNER_URL, then that of the profile, then the local run's,
    /// http://127.0.0.1:3000.
    #[arg(long, global = true, value_name = "URL", help_heading = "Connection")]
    pub url: Option<String>,
    /// Profile with an address and a key file; default: MULTIPARTNER_PROFILE, then the default profile. See `profile`.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Connection")]
    pub profile: Option<String>,
    /// File with the access key, or - for standard input; default: MULTIPARTNER_KEY, then the file of the profile, then a
    /// hidden prompt on a terminal.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Connection")]
    pub key_file: Option<PathBuf>,
}

/// Why a deployment cannot be called. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    #[error("the address in {source_name} cannot be used: {error}")]
    Address { source_name: String, error: AddressError },
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Key(#[from] SecretError),
    #[error("this command needs an access key; set MULTIPARTNER_KEY, or use --key-file FILE")]
    NoKey,
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// The settings that an environment variable can have, so that tests need none.
#[derive(Default)]
struct Environment {
    url: Option<String>,
    profile: Option<String>,
}

impl Environment {
    fn read() -> Self {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self { url: set(URL), profile: set(PROFILE) }
    }
}

/// An address, and the key file that a profile has for exactly this address.
struct Target {
    address: Address,
    key_file: Option<PathBuf>,
    /// The profile was named in the command, so that its key comes before that of the environment.
    is_named: bool,
}

impl Connection {
    /// A client with a key.
    ///
    /// # Errors
    /// [`ConnectionError`].
    pub fn client(&self) -> Result<Client, ConnectionError> {
        let target = self.target()?;
        let key = self.key(&target)?;
        Ok(Client::new(target.address, Some(&key))?)
    }

    /// A client without a key, for routes that need none.
    ///
    /// # Errors
    /// [`ConnectionError`].
    pub fn client_without_key(&self) -> Result<Client, ConnectionError> {
        Ok(Client::new(self.address()?, None)?)
    }

    /// # Errors
    /// [`ConnectionError`].
    pub fn address(&self) -> Result<Address, ConnectionError> {
        Ok(self.target()?.address)
    }

    fn target(&self) -> Result<Target, ConnectionError> {
        let profiles = match Profiles::default_path() {
            Ok(path) => match Profiles::read(path) {
                Ok(profiles) => Some(profiles),
                // The command names all that it needs.
                Err(error) if self.url.is_some() && self.profile.is_none() => {
                    output::warn(&format!("Profiles are ignored: {error}"));
                    None
                }
                Err(error) => return Err(error.into()),
            },
            // Without a home folder there are no profiles.
            Err(_) => None,
        };
        self.target_in(&Environment::read(), profiles.as_ref())
    }

    fn target_in(&self, environment: &Environment, profiles: Option<&Profiles>) -> Result<Target, ConnectionError> {
        let name = self.profile.as_deref().or(environment.profile.as_deref());
        let profile = match profiles {
            Some(profiles) => profiles.get(name)?,
            None if name.is_some() => return Err(ProfileError::NoFolder.into()),
            None => None,
        };
        // A profile that the command names comes before the environment.
        let of_environment = environment.url.as_deref().filter(|_| self.profile.is_none());
        let (source_name, text) = match (&self.url, of_environment, profile) {
            (Some(url), ..) => ("--url", url.as_str()),
            (None, Some(url), _) => (URL, url),
            (None, None, Some(profile)) => ("the profile", profile.url.as_str()),
            (None, None, None) => ("the defaults", Address::LOCAL),
        };
        let address = parse(source_name, text)?;
        // The key of a profile goes to no other address.
        let key_file = profile.filter(|profile| is_for(profile, &address)).and_then(|profile| profile.key_file.clone());
        Ok(Target { address, key_file, is_named: self.profile.is_some() })
    }

    fn key(&self, target: &Target) -> Result<AccessKeyText, ConnectionError> {
        let of_file = |file: &Path| Ok(secret_source::access_key_of_file(file)?);
        if let Some(file) = &self.key_file {
            return of_file(file);
        }
        let of_profile = target.key_file.as_deref();
        if let Some(file) = of_profile.filter(|_| target.is_named) {
            return of_file(file);
        }
        if let Some(key) = secret_source::access_key_of_environment()? {
            return Ok(key);
        }
        match of_profile {
            Some(file) => of_file(file),
            None if io::stdin().is_terminal() && io::stderr().is_terminal() => {
                Ok(secret_source::access_key_of_prompt(target.address.as_str())?)
            }
            None => Err(ConnectionError::NoKey),
        }
    }
}

fn parse(source_name: &str, text: &str) -> Result<Address, ConnectionError> {
    Address::parse(text).map_err(|error| ConnectionError::Address { source_name: source_name.to_owned(), error })
}

fn is_for(profile: &Profile, address: &Address) -> bool {
    Address::parse(&profile.url).as_ref() == Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles() -> Profiles {
        let mut profiles = Profiles::read("/nonexistent/profiles.json".into()).unwrap();
        for name in ["one", "two"] {
            let profile =
                Profile { url: format!("https://{name}.example"), key_file: Some(format!("/keys/{name}").into()) };
            profiles.set(name, profile, false).unwrap();
        }
        profiles
    }

    fn target(url: Option<&str>, profile: Option<&str>, environment: &Environment) -> (String, Option<String>) {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let connection = Connection { url: text(url), profile: text(profile), key_file: None };
        let target = connection.target_in(environment, Some(&profiles())).unwrap();
        (target.address.to_string(), target.key_file.map(|file| file.display().to_string()))
    }

    #[test]
    fn arguments_come_first_then_the_environment_then_the_default_profile() {
        let nothing = Environment::default();
        let url = Environment { url: Some("https://two.example".into()), profile: None };
        let profile = Environment { url: None, profile: Some("two".into()) };
        let (one, two) = ("https://one.example".to_owned(), "https://two.example".to_owned());
        let key = |name: &str| Some(format!("/keys/{name}"));
        assert_eq!(target(None, None, &nothing), (one.clone(), key("one")));
        assert_eq!(target(None, None, &profile), (two.clone(), key("two")));
        assert_eq!(target(None, Some("one"), &profile), (one.clone(), key("one")));
        assert_eq!(target(None, Some("one"), &url), (one, key("one")));
        let local = Some(Address::LOCAL);
        assert_eq!(target(local, Some("two"), &nothing), (Address::LOCAL.to_owned(), None));
        // The default profile is `one`, and its key does not go to the address of `two`.
        assert_eq!(target(None, None, &url), (two.clone(), None));
        assert_eq!(target(Some("https://two.example/"), Some("two"), &nothing), (two, key("two")));
    }

    #[test]
    fn an_unknown_profile_and_an_unencrypted_address_are_refused() {
        let connection = Connection { profile: Some("three".into()), ..Connection::default() };
        let error = connection.target_in(&Environment::default(), Some(&profiles())).err().unwrap();
        assert!(error.to_string().contains("`three`"), "{error}");
        let environment = Environment { url: Some("http://example.com".into()), profile: None };
        let error = Connection::default().target_in(&environment, None).err().unwrap();
        assert!(error.to_string().contains("MULTIPARTNER_URL") && error.to_string().contains("https"), "{error}");
    }
}
