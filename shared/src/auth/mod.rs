//! Who calls: keys, webhook signatures, link tokens, and the roles they carry.

mod caller;
mod master;
pub mod signature;

pub use caller::{ActingPartner, Caller, SignedWebhook};
pub use master::{AccessKeyText, LinkToken, MasterKeys, Secret, UnknownMasterKey, same_hash};
