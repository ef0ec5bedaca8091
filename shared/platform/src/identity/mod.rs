//! Signing in a customer's administrator at the identity provider of the customer's own tenant, by OpenID Connect: authorization
//! code, PKCE, and an ID token that is checked here.
//!
//! - [`settings`]: what a deployment is set up with, for each cloud
//! - [`provider`]: the address of the sign-in page, and the exchange of a code for a proven [`Person`]
//! - `discovery`, `keys` and `cache`: what a provider publishes about itself
//! - `token` and `claims`: the checks of an ID token, in a fixed order
//! - `person`: whether the person belongs to the tenant and may act for it
//!
//! The issuer is always built from a tenant id that the caller knows, never from a token.

pub mod credential;
pub mod error;
pub mod person;
pub mod provider;
pub mod settings;

mod cache;
mod claims;
mod discovery;
mod keys;
mod member;
mod token;

#[cfg(test)]
mod tests;

pub use self::credential::Credential;
pub use self::error::{Check, SignInError, Step};
pub use self::person::Person;
pub use self::provider::{Authorize, Provider, Providers, Redeem};
pub use self::settings::{CloudSettings, Settings};
