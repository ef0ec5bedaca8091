//! Master keys and what derives from them, webhook signatures, access keys and link tokens.

mod master;
pub mod signature;

pub use master::{AccessKeyText, LinkToken, MasterKeys, Secret, UnknownMasterKey, same_hash};
