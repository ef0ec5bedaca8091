//! Master keys and everything derived from them: link tokens, access keys and signing secrets. Also webhook signatures.
//!
//! Secrets are `secrecy` types: `Debug` redacts them and their memory is overwritten on drop. None implements `PartialEq`.
//! Compare hashes with [`same_hash`], which takes constant time.

#[cfg(feature = "describe")]
pub mod count;
mod master;
mod sign_in;
pub mod signature;
mod text;

pub use master::{MasterKey, MasterKeys, UnknownMasterKey};
pub use sign_in::{SignInCookie, SignInSecrets};
pub use text::{AccessKeyText, LinkToken, SessionText, same_hash};
