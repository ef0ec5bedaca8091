//! Which identity provider a run uses.

use std::env;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use local::identity_provider::IdentityProvider;
use platform::clock::SystemClock;
use platform::config::sign_in;
use platform::identity::{Credential, Settings};
use platform::random::SystemRandom;

use crate::commands::host::THIS_MACHINE;

/// Plain http on this machine, so that a provider may be there too. The start checks the real address.
const LOCAL: Option<&str> = Some("http://127.0.0.1");

pub enum SignIn {
    /// The development identity provider, for every cloud.
    Development(IdentityProvider),
    /// What the environment says, for the clouds that it names.
    Configured(Settings),
    /// People could not return from a provider on this machine.
    Nothing,
}

impl SignIn {
    /// Takes the settings of the environment. Without any, starts the development identity provider.
    pub async fn prepare(host: IpAddr) -> Result<Self, Box<dyn Error>> {
        let settings = sign_in::read(|name| env::var(name).ok(), Some(Credential::parse), LOCAL)?;
        if !settings.clouds.is_empty() {
            return Ok(Self::Configured(settings));
        }
        if !can_return_to(host) {
            return Ok(Self::Nothing);
        }
        Ok(Self::Development(IdentityProvider::start(0, Arc::new(SystemClock), Arc::new(SystemRandom)).await?))
    }

    pub fn settings(&self) -> Result<Settings, Box<dyn Error>> {
        Ok(match self {
            Self::Development(provider) => provider.settings()?,
            Self::Configured(settings) => settings.clone(),
            Self::Nothing => Settings::default(),
        })
    }

    pub async fn stop(self) {
        if let Self::Development(provider) = self {
            provider.stop().await;
        }
    }
}

/// Whether the development identity provider sends people back to a run at this address.
fn can_return_to(host: IpAddr) -> bool {
    host == THIS_MACHINE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_development_provider_serves_one_address_only() {
        assert!(can_return_to(THIS_MACHINE));
        for host in ["127.0.0.2", "::1", "0.0.0.0", "::", "192.0.2.1"] {
            assert!(!can_return_to(host.parse().unwrap()), "{host}");
        }
    }
}
