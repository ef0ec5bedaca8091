//! Master keys and everything derived from them: link tokens, access keys and signing secrets. Also webhook signatures.
//!
//! Secrets are `secrecy` types: `Debug` redacts them and their memory is overwritten on drop. None implements `PartialEq`.
//! Compare hashes with [`same_hash`], which takes constant time.

mod master;
pub mod signature;
mod text;

pub use master::{MasterKey, MasterKeys, UnknownMasterKey};
pub use text::{AccessKeyText, LinkToken, same_hash};
